//! Pods drawn from the fuzzer's bytes: likely ones, odd ones, and ones that no API server would store.

use e2e_tests::laws::Tree;

use crate::draw::{Draw, Pick};
use crate::judge::CANARY;
use crate::names::{
    ACCOUNTS, ANNOTATIONS, ASKING, AUDIENCES, CONTAINERS, ENV, LABELS, PATHS, SECRETS, UNKNOWN, VOLUMES,
};
use crate::tree::{object, quoted, raw, text};

/// Objects in the making.
pub struct Maker<'m, 'd> {
    /// Who decides.
    pub draw: &'m mut Draw<'d>,
    /// Whether the pod is to be a likely one: much of what is odd leads to a denial alone.
    pub tame: bool,
}

/// The labels of a scheduler's pod, and its container.
const SCHEDULER: &str = r#"{"tier":"airflow","component":"scheduler"}"#;
const HOLDER: &str = r#"{"name":"scheduler","image":"airflow","volumeMounts":[{"name":"kube-api-access-x7k2p",
    "mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","readOnly":true}]}"#;

impl Maker<'_, '_> {
    /// A pod.
    pub fn pod(&mut self) -> Tree {
        // By chance alone hardly a pod would be one that may hold a token.
        let scheduler = self.tame && self.draw.once_in(3);
        let mut pod = vec![("apiVersion", text("v1")), ("kind", text("Pod")), ("metadata", self.metadata(scheduler))];
        pod.push(("spec", self.spec(scheduler)));
        if self.draw.once_in(4) {
            pod.push(("status", raw(r#"{"phase":"Pending","x":1e3}"#)));
        }
        self.odd(&mut pod);
        self.object(pod)
    }

    fn metadata(&mut self, scheduler: bool) -> Tree {
        let mut metadata = vec![match self.draw.below(4) {
            0 => ("generateName", text("etl-")),
            1 => ("name", text("é")),
            _ => ("name", text("etl-1")),
        }];
        let labels = if scheduler { raw(SCHEDULER) } else { self.map(&LABELS) };
        let annotations = if self.tame { self.map(&ASKING) } else { self.map(&ANNOTATIONS) };
        metadata.push(("labels", labels));
        if self.draw.below(3) > 0 {
            metadata.push(("annotations", annotations));
        }
        if self.draw.once_in(4) {
            let owner =
                r#"[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"airflow-scheduler-1","controller":true}]"#;
            metadata.push(("ownerReferences", raw(owner)));
        }
        self.odd(&mut metadata);
        self.object(metadata)
    }

    /// Some of these keys, each with one of its values.
    fn map(&mut self, of: &[(&str, &[&str])]) -> Tree {
        let mut pairs = Vec::new();
        for (key, values) in of {
            // Forged ones are denied whatever else there is.
            if key.contains("/gcp-") && !self.draw.once_in(8) {
                continue;
            }
            if self.draw.below(3) == 1 || self.tame && *key == "tier" {
                let values = if self.tame && *key == "tier" { &values[..1] } else { values };
                pairs.push((quoted(key), text(self.draw.one(values))));
            }
        }
        if self.draw.once_in(20) { raw("null") } else { Tree::Object(pairs) }
    }

    fn spec(&mut self, scheduler: bool) -> Tree {
        let mut spec = Vec::new();
        let lists = ["containers", "initContainers", "ephemeralContainers"];
        for (section, most) in lists.into_iter().zip([5, 3, if self.tame { 1 } else { 2 }]) {
            let count = self.draw.below(most).max(usize::from(self.tame && section == "containers"));
            if count > 0 || section == "containers" {
                let mut containers: Vec<Tree> = (0..count).map(|_| self.container(section)).collect();
                if let Some(holder) = containers.first_mut().filter(|_| scheduler && section == "containers") {
                    *holder = raw(HOLDER);
                }
                spec.push((section, Tree::List(containers)));
            }
        }
        let volumes = self.draw.below(6).max(usize::from(self.tame));
        if volumes > 0 {
            spec.push(("volumes", Tree::List((0..volumes).map(|index| self.volume(index)).collect())));
        }
        for key in ["serviceAccountName", "serviceAccount"] {
            if self.draw.below(3) == 1 {
                spec.push((key, text(self.draw.one(&ACCOUNTS))));
            }
        }
        let flags = ["automountServiceAccountToken", "shareProcessNamespace", "hostPID", "hostNetwork", "hostIPC"];
        for (key, often) in flags.into_iter().zip([2, 6, 8, 8, 12]) {
            if self.tame && key != "automountServiceAccountToken" {
                continue;
            }
            if self.draw.once_in(often) {
                spec.push((key, raw(self.draw.one(&["true", "false", "null"]))));
            }
        }
        if self.draw.once_in(6) {
            spec.push(("imagePullSecrets", raw(r#"[{"name":"airflow-jwt-1"}]"#)));
        }
        self.odd(&mut spec);
        self.object(spec)
    }

    fn container(&mut self, section: &str) -> Tree {
        if self.draw.once_in(24) {
            return raw("{}");
        }
        let mut container = vec![
            ("name", self.name(if self.tame { &CONTAINERS[..6] } else { &CONTAINERS })),
            ("image", text("airflow")),
        ];
        let mounts = self.draw.below(4);
        if mounts > 0 {
            container.push(("volumeMounts", Tree::List((0..mounts).map(|_| self.mount()).collect())));
        }
        let env = self.draw.below(4);
        if env > 0 {
            container.push(("env", Tree::List((0..env).map(|_| self.env()).collect())));
        }
        if self.draw.once_in(3) {
            container
                .push((self.draw.one(&["args", "command"]), Tree::List(vec![text(CANARY), text("--token=CANARY")])));
        }
        if !self.tame && self.draw.once_in(5) {
            let secret = object(vec![("name", text(self.draw.one(&SECRETS)))]);
            container.push(("envFrom", Tree::List(vec![object(vec![("secretRef", secret)])])));
        }
        if self.draw.once_in(8) {
            container.push(("securityContext", raw(self.draw.one(&["{\"privileged\":true}", "null", "{\"x\":1}"]))));
        }
        match section {
            "initContainers" if self.draw.once_in(3) => container.push(("restartPolicy", text("Always"))),
            "ephemeralContainers" => container.push(("targetContainerName", text(self.draw.one(&CONTAINERS)))),
            _ => {}
        }
        self.odd(&mut container);
        self.object(container)
    }

    fn mount(&mut self) -> Tree {
        let (volumes, paths) = match self.tame {
            true if self.draw.once_in(3) => (&VOLUMES[7..8], &PATHS[14..15]),
            true => (&VOLUMES[..2], &PATHS[..1]),
            false => (&VOLUMES[..], &PATHS[..]),
        };
        let mut mount = vec![("name", self.name(volumes)), ("mountPath", text(self.draw.one(paths)))];
        match self.draw.below(8) {
            0..=2 => mount.push(("readOnly", raw("true"))),
            3 => mount.push(("readOnly", raw("false"))),
            4 => mount.push(("subPath", text(self.draw.one(&["token", "", "../x"])))),
            5 => mount.push(("subPathExpr", text("$(A)"))),
            _ => {}
        }
        self.odd(&mut mount);
        self.object(mount)
    }

    fn env(&mut self) -> Tree {
        let mut entry = vec![("name", self.name(if self.tame { &ENV[..2] } else { &ENV }))];
        match self.draw.below(8) {
            0..=3 => entry.push(("value", text(self.draw.one(&["CANARY", "postgres://u:CANARY@h/db", "1CANARY"])))),
            4 => {
                let secret = vec![("name", text(self.draw.one(&SECRETS))), ("key", text("key.json"))];
                entry.push(("valueFrom", object(vec![("secretKeyRef", object(secret))])));
            }
            5 => entry.push(("valueFrom", raw(r#"{"fieldRef":{"fieldPath":"metadata.annotations['x']"}}"#))),
            6 => entry.push(("value", raw("null"))),
            _ => entry.push(("value", text("/var/run/secrets/gcp/team-a/key.json"))),
        }
        self.odd(&mut entry);
        self.object(entry)
    }

    /// A volume. Most have a name of their own, as the API server asks for.
    fn volume(&mut self, index: usize) -> Tree {
        let name = if !self.tame && self.draw.once_in(4) {
            self.name(&VOLUMES)
        } else {
            text(VOLUMES[if self.tame && index > 1 { 5 + index } else { index }])
        };
        let mut volume = vec![("name", name)];
        let secret = text(self.draw.one(&SECRETS));
        let reference = |secret: Tree| object(vec![("name", secret)]);
        match if self.tame { if index < 2 { 0 } else { 11 } } else { self.draw.below(12) } {
            0..=3 => volume.push(("projected", self.injected())),
            4 | 5 => {
                let sources = (0..self.draw.below(4)).map(|_| self.source()).collect();
                volume.push(("projected", object(vec![("sources", Tree::List(sources))])));
            }
            6 => volume.push(("secret", object(vec![("secretName", secret), ("defaultMode", raw("420"))]))),
            7 => {
                let paths = ["/var/lib/kubelet", "/", "/run/containerd/containerd.sock", "/data", "/etc//kubernetes/"];
                volume.push(("hostPath", object(vec![("path", text(self.draw.one(&paths)))])));
            }
            8 => volume.push(("csi", object(vec![("driver", text("d")), ("nodePublishSecretRef", reference(secret))]))),
            9 => volume.push(("azureFile", object(vec![("secretName", secret), ("shareName", text("s"))]))),
            10 => volume.push(("cephfs", object(vec![("secretRef", reference(secret))]))),
            _ => volume.push(("emptyDir", raw("{}"))),
        }
        self.odd(&mut volume);
        self.object(volume)
    }

    /// What the API server injects, or nearly.
    fn injected(&mut self) -> Tree {
        let mut token = vec![("expirationSeconds", raw("3607")), ("path", text("token"))];
        if !self.tame && self.draw.once_in(6) {
            token.push(("audience", text(self.draw.one(&AUDIENCES))));
        }
        self.odd(&mut token);
        let token = object(vec![("serviceAccountToken", self.object(token))]);
        let ca = raw(r#"{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}}"#);
        let field = r#"{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"},"path":"namespace"}"#;
        let namespace = raw(&format!(r#"{{"downwardAPI":{{"items":[{field}]}}}}"#));
        let mut sources = vec![token, ca, namespace];
        match if self.tame { 0 } else { self.draw.below(12) } {
            9 => sources.push(self.source()),
            10 => drop(sources.pop()),
            11 => sources.swap(0, 1),
            _ => {}
        }
        object(vec![("defaultMode", raw("420")), ("sources", Tree::List(sources))])
    }

    fn source(&mut self) -> Tree {
        match self.draw.below(8) {
            0..=3 => {
                let mut token = vec![("path", text("token"))];
                if self.draw.below(3) > 0 {
                    token.push(("audience", text(self.draw.one(&AUDIENCES))));
                }
                if self.draw.below(3) > 0 {
                    token.push(("expirationSeconds", raw(self.draw.one(&["3600", "600", "86400", "null", "0", "-1"]))));
                }
                object(vec![("serviceAccountToken", self.object(token))])
            }
            4 => object(vec![("secret", object(vec![("name", text(self.draw.one(&SECRETS)))]))]),
            5 => raw(r#"{"configMap":{"name":"kube-root-ca.crt"}}"#),
            6 => raw(r#"{"podCertificate":{"signerName":"s"}}"#),
            _ => raw(r#"{"clusterTrustBundle":{"name":"b","path":"b"}}"#),
        }
    }

    fn name(&mut self, of: &[&str]) -> Tree {
        match !self.tame && self.draw.once_in(24) {
            false => text(self.draw.one(of)),
            true => text(&self.draw.text(70)),
        }
    }

    /// Something that the policy knows nothing of, once in a while.
    fn odd(&mut self, fields: &mut Vec<(&str, Tree)>) {
        if self.draw.once_in(4) {
            fields.push(("x", raw(self.draw.one(&UNKNOWN))));
        }
    }

    /// The fields, in an order that may be another one.
    fn object(&mut self, mut fields: Vec<(&str, Tree)>) -> Tree {
        let first = self.draw.below(fields.len());
        fields.rotate_left(first);
        object(fields)
    }
}
