//! The settings, as far as they are covered. A document with anything else can't be read as these.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use super::catalogue::{Allow, Credential};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    #[default]
    Mutate,
    Validate,
}

/// What a finding leads to, from mild to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Action {
    Off,
    Audit,
    Enforce,
}

/// An action where YAML 1.1 may have made `false` of `Off`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Word {
    Action(Action),
    Off(bool),
}

fn action<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Action>, D::Error> {
    match Option::deserialize(deserializer)? {
        None => Ok(None),
        Some(Word::Action(action)) => Ok(Some(action)),
        Some(Word::Off(false)) => Ok(Some(Action::Off)),
        Some(Word::Off(true)) => Err(serde::de::Error::custom("true is no action")),
    }
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    pub mode: Mode,
    #[serde(deserialize_with = "action")]
    pub failure_action: Option<Action>,
    pub failure_action_overrides: Vec<Override>,
    pub exceptions: Vec<Exception>,
    pub airflow: Airflow,
    pub token_mounts: TokenMounts,
    pub node_access: NodeAccess,
    pub credentials: BTreeMap<String, Credential>,
    pub credential_injection: Injection,
    pub secret_access: SecretAccess,
    pub service_accounts: Option<ServiceAccounts>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Override {
    pub action: Action,
    pub namespaces: Vec<String>,
    pub rules: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "exceptions are reported by name, which is not compared")]
pub struct Exception {
    pub name: String,
    pub rules: Vec<String>,
    #[serde(rename = "match")]
    pub matches: ExceptionMatch,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionMatch {
    pub namespaces: Vec<String>,
    pub service_accounts: Option<Vec<String>>,
    pub names: Option<Vec<String>>,
    pub labels: Option<BTreeMap<String, String>>,
    pub requesters: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Airflow {
    pub launchers: Vec<String>,
}

impl Default for Airflow {
    fn default() -> Self {
        let launchers = ["*/*airflow*-scheduler", "*/*airflow*-worker", "*/*airflow*-triggerer"];
        Self { launchers: launchers.map(str::to_owned).to_vec() }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TokenMounts {
    #[serde(deserialize_with = "action")]
    pub failure_action: Option<Action>,
    pub components: Vec<Component>,
    pub airflow_pods: AirflowPods,
    pub other_pods: OtherPods,
    pub require_automount_false: bool,
    pub service_account_token_volume: TokenVolume,
    pub max_expiration_seconds: Option<i64>,
    pub audiences: Audiences,
    pub token_secrets: Vec<String>,
}

impl Default for TokenMounts {
    fn default() -> Self {
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let scheduler = Component {
            name: "scheduler".to_owned(),
            matches: ComponentMatch {
                labels: [label("tier", "airflow"), label("component", "scheduler")].into(),
                service_accounts: Some(vec!["*/*".to_owned()]),
            },
            requesters: Vec::new(),
            containers: vec!["scheduler".to_owned()],
            init_containers: Vec::new(),
        };
        Self {
            failure_action: None,
            components: vec![scheduler],
            airflow_pods: AirflowPods::Audit,
            other_pods: OtherPods::Ignore,
            require_automount_false: false,
            service_account_token_volume: TokenVolume::default(),
            max_expiration_seconds: None,
            audiences: Audiences::default(),
            token_secrets: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "a component's name is for messages")]
pub struct Component {
    pub name: String,
    #[serde(rename = "match")]
    pub matches: ComponentMatch,
    #[serde(default)]
    pub requesters: Vec<String>,
    #[serde(default)]
    pub containers: Vec<String>,
    #[serde(default)]
    pub init_containers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentMatch {
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    pub service_accounts: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AirflowPods {
    Audit,
    Enforce,
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum OtherPods {
    Ignore,
    NoToken,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TokenVolume {
    pub enabled: bool,
    pub volume_name: String,
    pub mount_path: String,
    pub expiration_seconds: i64,
    pub audience: Option<String>,
}

impl Default for TokenVolume {
    fn default() -> Self {
        Self {
            enabled: false,
            volume_name: "kube-api-access".to_owned(),
            mount_path: "/var/run/secrets/kubernetes.io/serviceaccount".to_owned(),
            expiration_seconds: 3600,
            audience: None,
        }
    }
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Audiences {
    pub api: Vec<String>,
    pub allowed: Vec<String>,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NodeAccess {
    #[serde(deserialize_with = "action")]
    pub failure_action: Option<Action>,
    pub allowed_host_paths: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Uncatalogued {
    Allow,
    Deny,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Injection {
    #[serde(deserialize_with = "action")]
    pub failure_action: Option<Action>,
    pub uncatalogued: Option<Uncatalogued>,
    pub skip_containers: Option<Vec<String>>,
    pub init_containers: bool,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretAccess {
    #[serde(deserialize_with = "action")]
    pub failure_action: Option<Action>,
    pub protected: Vec<Protected>,
    #[serde(deserialize_with = "action")]
    pub token_audiences: Option<Action>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Protected {
    pub secrets: Vec<String>,
    pub namespaces: Vec<String>,
    pub allow: Option<Allow>,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceAccounts {
    #[serde(deserialize_with = "action")]
    pub failure_action: Option<Action>,
    #[serde(rename = "match")]
    pub matches: Option<AccountMatch>,
    /// Absent is `false`, `null` is to leave alone.
    #[serde(deserialize_with = "given", rename = "automountServiceAccountToken")]
    pub automount: Option<Option<bool>>,
    pub repair: bool,
}

fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<bool>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AccountMatch {
    pub labels: Option<BTreeMap<String, String>>,
    pub names: Vec<String>,
}
