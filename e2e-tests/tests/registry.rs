//! The module in a registry, as Kubewarden pushes and pulls it: one layer with the module's bytes, an empty configuration,
//! and a digest to pin.

#![cfg(feature = "engine")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e_tests::testing::{module, workspace};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use ureq::Agent;

/// The media types of Kubewarden's policies; kwctl and policy-server pull no layer of another type.
const CONFIG: &str = "application/vnd.wasm.config.v1+json";
const LAYER: &str = "application/vnd.wasm.content.layer.v1+wasm";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry of its own, on loopback, which ends with the test.
struct Registry {
    address: String,
    process: Child,
    _folder: TempDir,
}

impl Registry {
    /// `None`: there is no `docker-registry`, and it was said.
    fn start() -> Option<Self> {
        if Command::new("docker-registry").arg("--version").stdout(Stdio::null()).status().is_err() {
            e2e_tests::testing::skip("docker-registry is not on the PATH");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        // Somebody else may take the port between the two calls: then the registry ends, and another port is tried.
        let started = (0..5).find_map(|_| Self::listen(&folder));
        let (address, process) = started.expect("docker-registry does not start");
        Some(Self { address, process, _folder: folder })
    }

    fn listen(folder: &TempDir) -> Option<(String, Child)> {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").to_string();
        let config = folder.path().join("config.yml");
        let storage = folder.path().join("storage");
        let text = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {storage:?}}}}}\nhttp: {{addr: {address:?}}}\n"
        );
        std::fs::write(&config, text).expect("a writable file");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end && process.try_wait().ok()?.is_none() {
            if TcpStream::connect(&address).is_ok() {
                return Some((address, process));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = process.kill();
        let _ = process.wait();
        None
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is published: the annotated module where kwctl made one, else the module.
fn published() -> PathBuf {
    let annotated = workspace().join("annotated-policy.wasm");
    if annotated.is_file() { annotated } else { module() }
}

fn digest(bytes: &[u8]) -> String {
    let hex: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hex.concat())
}

/// The four requests of the OCI distribution specification that a push and a pull are made of.
struct Repository {
    agent: Agent,
    /// `http://HOST/v2/NAME`
    url: String,
}

impl Repository {
    fn new(registry: &Registry) -> Self {
        let agent = Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(30))).build();
        Self { agent: agent.into(), url: format!("http://{}/v2/policies/airflow-pod-identity", registry.address) }
    }

    /// Pushes the module as kwctl does; returns the digest to pin.
    fn push(&self, tag: &str, module: &[u8]) -> String {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.upload(CONFIG, b"{}"),
            "layers": [self.upload(LAYER, module)],
        });
        let url = format!("{}/manifests/{tag}", self.url);
        let answer = self.agent.put(url).content_type(MANIFEST).send(manifest.to_string().as_str()).expect("taken");
        let told = answer.headers().get("docker-content-digest").expect("a digest").to_str().expect("a text");
        assert_eq!(told, digest(manifest.to_string().as_bytes()));
        told.to_owned()
    }

    /// Uploads a blob; returns its descriptor.
    fn upload(&self, media_type: &str, bytes: &[u8]) -> Value {
        let begun = self.agent.post(format!("{}/blobs/uploads/", self.url)).send_empty().expect("begun");
        let place = begun.headers().get("location").expect("a place").to_str().expect("a text");
        let digest = digest(bytes);
        self.agent.put(place).query("digest", &digest).send(bytes).expect("taken");
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Pulls a manifest, by tag or by digest.
    fn manifest(&self, reference: &str) -> (Value, String) {
        let bytes = self.get(&format!("manifests/{reference}"));
        (serde_json::from_slice(&bytes).expect("JSON"), digest(&bytes))
    }

    /// Pulls the module, as policy-server does: the only layer of the type that it knows.
    fn module(&self, reference: &str) -> Vec<u8> {
        let (manifest, _) = self.manifest(reference);
        let layers = manifest["layers"].as_array().expect("layers");
        assert_eq!(layers.len(), 1, "{manifest}");
        assert_eq!(layers[0]["mediaType"], LAYER, "{manifest}");
        let wanted = layers[0]["digest"].as_str().expect("a digest");
        let bytes = self.get(&format!("blobs/{wanted}"));
        assert_eq!(digest(&bytes), wanted);
        bytes
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let answer = self.agent.get(format!("{}/{path}", self.url)).header("Accept", MANIFEST).call();
        let mut answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
        answer.body_mut().with_config().limit(100_000_000).read_to_vec().expect("a body")
    }
}

#[test]
fn a_registry_gives_back_by_tag_and_by_digest_what_was_pushed() {
    let Some(registry) = Registry::start() else { return };
    let path = published();
    let bytes = std::fs::read(&path).expect("a module");
    let repository = Repository::new(&registry);

    let pinned = repository.push("v0.1.0", &bytes);
    let (manifest, digest) = repository.manifest("v0.1.0");
    assert_eq!(digest, pinned);
    assert_eq!(manifest["config"]["mediaType"], CONFIG);
    assert_eq!(manifest["layers"][0]["size"], bytes.len());
    for reference in ["v0.1.0", &pinned] {
        assert!(repository.module(reference) == bytes, "{reference}: other bytes than those of {}", path.display());
    }

    // A tag can be moved to another module; the digest stays with the first.
    let other = [&bytes[..], b"\0"].concat();
    assert_ne!(repository.push("v0.1.0", &other), pinned);
    assert!(repository.module("v0.1.0") == other);
    assert!(repository.module(&pinned) == bytes);
}
