//! artifacthub-pkg.yml: what `kwctl scaffold artifacthub` makes of metadata.yml and questions-ui.yml.

use serde::Serialize;
use serde_json::{Map, Value, json};

const HEAD: &str = "# Artifact Hub's package file. Made of metadata.yml and questions-ui.yml: `make generate`.\n";

/// When the version was made, for Artifact Hub's sorting; changed with the version.
const CREATED: &str = "2026-11-25T00:00:00Z";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    version: Value,
    name: Value,
    display_name: Value,
    created_at: &'static str,
    description: Value,
    license: Value,
    #[serde(rename = "homeURL")]
    home_url: Value,
    containers_images: Vec<Value>,
    keywords: Vec<String>,
    links: Vec<Value>,
    install: String,
    maintainers: Vec<Value>,
    provider: Value,
    recommendations: Vec<Value>,
    annotations: Map<String, Value>,
}

/// The file.
pub(super) fn package(metadata: &Value, questions: &str) -> String {
    let of = |name: &str| metadata["annotations"][name].clone();
    let text = |name: &str| of(name).as_str().unwrap_or_default().to_owned();
    let (version, source) = (text("io.kubewarden.policy.version"), text("io.kubewarden.policy.source"));
    let image = format!("{}:v{version}", text("io.kubewarden.policy.ociUrl"));
    let yaml = |value: &Value| serde_saphyr::to_string(value).unwrap_or_default();
    let mut annotations = Map::new();
    annotations.insert("kubewarden/contextAwareResources".into(), yaml(&metadata["contextAwareResources"]).into());
    annotations.insert("kubewarden/hostCapabilities".into(), yaml(&metadata["hostCapabilities"]).into());
    annotations.insert("kubewarden/mutation".into(), metadata["mutating"].to_string().into());
    annotations.insert("kubewarden/questions-ui".into(), questions.into());
    annotations.insert("kubewarden/resources".into(), of("io.artifacthub.resources"));
    annotations.insert("kubewarden/rules".into(), yaml(&metadata["rules"]).into());
    let package = Package {
        display_name: of("io.artifacthub.displayName"),
        name: of("io.kubewarden.policy.title"),
        created_at: CREATED,
        description: of("io.kubewarden.policy.description"),
        license: of("io.kubewarden.policy.license"),
        home_url: of("io.kubewarden.policy.url"),
        containers_images: vec![json!({"name": "policy", "image": image})],
        keywords: text("io.artifacthub.keywords").split(", ").map(str::to_owned).collect(),
        links: vec![
            json!({"name": "policy", "url": format!("{source}/releases/download/v{version}/policy.wasm")}),
            json!({"name": "source", "url": source}),
        ],
        install: format!(
            "The policy can be obtained using [`kwctl`](https://docs.kubewarden.io):\n```console\nkwctl pull {image}\n```\n\
             It is deployed twice, mutating and validating: see the README.\n"
        ),
        maintainers: text("io.kubewarden.policy.author")
            .split(", ")
            .filter_map(|author| author.trim_end_matches('>').split_once(" <"))
            .map(|(name, email)| json!({"name": name, "email": email}))
            .collect(),
        provider: json!({"name": of("io.kubewarden.policy.title")}),
        recommendations: vec![json!({"url": "https://artifacthub.io/packages/helm/kubewarden/kubewarden-controller"})],
        annotations,
        version: version.into(),
    };
    format!("{HEAD}{}", serde_saphyr::to_string(&package).unwrap_or_default())
}
