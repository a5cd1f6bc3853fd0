//! Rule `credentials`: what the annotations ask for, who may have it, and where it goes.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, Volume};

use super::inject;
use super::pattern::{any, is_within};
use super::places::{Place, Section};
use super::settings::{Action, Credential, Uncatalogued};
use super::volumes::sources;
use super::who::Who;
use super::{Case, Outcome, Outside};

pub const GOOGLE: &str = "iam.cloud.google.com/service-account";
pub const LIST: &str = "airflow-pod-identity/credentials";
const CONTAINERS: &str = "airflow-pod-identity/containers";

/// Where Google's libraries look for what the policy mounts.
const GOOGLE_HOME: &str = "/var/run/secrets/gcp";

const SKIPPED: [&str; 6] =
    ["airflow-xcom-sidecar", "istio-proxy", "linkerd-proxy", "vault-agent*", "*git-sync*", "cloud-sql-proxy*"];

/// Containers: the list that each stands in, and where.
pub type Targets = BTreeSet<(Section, usize)>;

/// A credential that the pod asked for and may have.
#[derive(Debug, Clone)]
pub struct Grant {
    pub name: String,
    /// The annotation that names it.
    pub key: &'static str,
    pub credential: Credential,
}

/// What the pod was granted, and for which containers.
#[derive(Debug, Default)]
pub struct Grants {
    pub list: Vec<Grant>,
    pub targets: Targets,
}

/// Findings: an id and a path each.
type Found = Vec<(&'static str, String)>;

impl Grants {
    /// The audiences of tokens that a container was granted.
    pub fn audiences(&self, place: &Place<'_>) -> Vec<String> {
        let here = self.targets.contains(&(place.section, place.index));
        self.list.iter().filter(|_| here).filter_map(|grant| grant.credential.audience()).map(str::to_owned).collect()
    }

    /// Whether one of them reads the Secret.
    pub fn reads(&self, name: &str) -> bool {
        self.list.iter().any(|grant| grant.credential.secret_name(&grant.name) == Some(name))
    }
}

/// What is wrong with an annotation.
enum Wrong {
    Bad,
    NotAllowed,
}

pub fn judge(case: &Case<'_>, outcome: &mut Outcome) -> Result<Grants, Outside> {
    let action = case.action("credentials", case.settings.credential_injection.failure_action);
    if action == Action::Off {
        return Ok(Grants::default());
    }
    let annotations = case.annotations();
    let mut grants = Grants::default();
    let (mut asks, mut names) = (false, false);
    let asked = [(GOOGLE, case.google(annotations.get(GOOGLE))), (LIST, case.listed(annotations.get(LIST)))];
    for (key, answer) in asked {
        asks |= annotations.contains_key(key);
        names |= answer.iter().any(|answer| !matches!(answer, Err(Wrong::Bad)));
        names |= key == GOOGLE && annotations.get(key).is_some_and(|name| !name.is_empty());
        for answer in answer {
            let id = match answer {
                Ok(grant) if grants.list.iter().any(|known| known.name == grant.name) => continue,
                Ok(grant) => {
                    grants.list.push(grant);
                    continue;
                }
                Err(Wrong::Bad) => "credentials/bad-annotation",
                Err(Wrong::NotAllowed) => "credentials/not-allowed",
            };
            outcome.find(id, &format!("metadata.annotations[{key}]"), action);
        }
    }
    asks |= annotations.contains_key(CONTAINERS);
    if asks || !matches!(case.who(), Who::Other) {
        foreign(case, asks, action, outcome);
    }
    if asks {
        let (targets, wrong) = case.targets(annotations.get(CONTAINERS));
        grants.targets = targets;
        let is_told = |id: &str| id != "credentials/no-container" || names;
        for (id, path) in wrong.into_iter().filter(|(id, _)| is_told(id)) {
            outcome.find(id, &path, action);
        }
    }
    inject::judge(case, &grants, action, outcome)?;
    Ok(grants)
}

/// Somebody's own text where Google's libraries look, once there is a catalogue; in a pod that asks, above it too.
fn foreign(case: &Case<'_>, asks: bool, action: Action, outcome: &mut Outcome) {
    if case.settings.credentials.is_empty() {
        return;
    }
    for place in &case.places {
        for (at, mount) in place.mounts.iter().enumerate() {
            let is_text = case.volume(&mount.name).is_some_and(is_text);
            let path = &mount.mount_path;
            if is_text && (is_within(path, GOOGLE_HOME) || asks && is_within(GOOGLE_HOME, path)) {
                outcome.find("credentials/foreign-account", &format!("{}.volumeMounts[{at}]", place.path()), action);
            }
        }
    }
}

/// Whether a volume holds text that somebody may write: the cluster's CA and the namespace are none.
fn is_text(volume: &Volume) -> bool {
    let is_field = |file: &DownwardAPIVolumeFile| {
        file.field_ref.as_ref().is_some_and(|field| field.field_path != "metadata.namespace")
    };
    let of_pod = volume.downward_api.iter().flat_map(|api| api.items.iter().flatten());
    let projected = sources(volume).filter_map(|source| source.downward_api.as_ref());
    let projected = projected.flat_map(|api| api.items.iter().flatten());
    let is_map = |name: &str| name != "kube-root-ca.crt";
    volume.config_map.as_ref().is_some_and(|map| is_map(&map.name))
        || sources(volume).any(|source| source.config_map.as_ref().is_some_and(|map| is_map(&map.name)))
        || of_pod.chain(projected).any(is_field)
}

impl Case<'_> {
    /// What Google's annotation may name besides the catalogue's credentials.
    fn uncatalogued(&self) -> Uncatalogued {
        let empty = self.settings.credentials.is_empty();
        let default = if empty { Uncatalogued::Allow } else { Uncatalogued::Deny };
        self.settings.credential_injection.uncatalogued.unwrap_or(default)
    }

    /// What Google's annotation names.
    fn google(&self, value: Option<&String>) -> Vec<Result<Grant, Wrong>> {
        let Some(name) = value else { return Vec::new() };
        if name.is_empty() {
            return vec![Err(Wrong::Bad)];
        }
        let settings = self.settings;
        let uncatalogued = self.uncatalogued();
        let answer = match (settings.credentials.get(name), uncatalogued) {
            (Some(credential @ Credential::GcpServiceAccountKey { allow, .. }), _)
                if self.grants_to(allow.as_ref()) =>
            {
                Ok(Grant { name: name.clone(), key: GOOGLE, credential: credential.clone() })
            }
            (Some(_), _) | (None, Uncatalogued::Deny) => Err(Wrong::NotAllowed),
            (None, Uncatalogued::Allow) if !is_subdomain(name) => Err(Wrong::Bad),
            (None, Uncatalogued::Allow)
                if self.is_protected(name) || any(&settings.token_mounts.token_secrets, name) =>
            {
                Err(Wrong::NotAllowed)
            }
            (None, Uncatalogued::Allow) => {
                let credential =
                    Credential::GcpServiceAccountKey { secret_name: None, key: None, project: None, allow: None };
                Ok(Grant { name: name.clone(), key: GOOGLE, credential })
            }
        };
        vec![answer]
    }

    /// What the policy's own annotation names.
    fn listed(&self, value: Option<&String>) -> Vec<Result<Grant, Wrong>> {
        let Some(value) = value else { return Vec::new() };
        let names: Vec<&str> = value.split(',').map(|name| name.trim_matches(' ')).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        if names.contains(&"") || distinct.len() < names.len() || names.len() > 64 {
            return vec![Err(Wrong::Bad)];
        }
        let known = |name: &&str| {
            let credential = self.settings.credentials.get(*name)?;
            let allow = credential.allow();
            let credential = credential.clone();
            self.grants_to(allow).then(|| Grant { name: (*name).to_owned(), key: LIST, credential })
        };
        names.iter().map(|name| known(name).ok_or(Wrong::NotAllowed)).collect()
    }

    /// The containers to inject into, and what is wrong and where.
    fn targets(&self, value: Option<&String>) -> (BTreeSet<(Section, usize)>, Found) {
        let injection = &self.settings.credential_injection;
        let skipped = injection.skip_containers.clone().unwrap_or_else(|| SKIPPED.map(str::to_owned).to_vec());
        let at = |place: &Place<'_>| (place.section, place.index);
        let meant = |place: &&Place<'_>| !any(&skipped, place.name);
        let of = |section: Section| self.places.iter().filter(move |place| place.section == section);
        let init = of(Section::Init).filter(meant).filter(|_| injection.init_containers);
        let found: Targets = match value.map(|value| value.trim_matches(' ')) {
            None => {
                let base = of(Section::Normal).find(|place| place.name == "base" && meant(place));
                let first = base.or_else(|| of(Section::Normal).find(meant));
                first.into_iter().chain(init).map(at).collect()
            }
            Some("*") => of(Section::Normal).filter(meant).chain(init).map(at).collect(),
            Some(value) => {
                let path = format!("metadata.annotations[{CONTAINERS}]");
                let names: Vec<&str> = value.split(',').map(|name| name.trim_matches(' ')).collect();
                let distinct: BTreeSet<&str> = names.iter().copied().collect();
                if names.contains(&"") || names.contains(&"*") || distinct.len() < names.len() {
                    return (Targets::new(), vec![("credentials/bad-annotation", path)]);
                }
                let places: Vec<&Place<'_>> =
                    self.places.iter().filter(|place| place.section != Section::Ephemeral).collect();
                let unknown = names.iter().filter(|name| !places.iter().any(|place| place.name == **name));
                let unknown: Vec<_> = unknown.map(|_| ("credentials/unknown-container", path.clone())).collect();
                return (places.into_iter().filter(|place| names.contains(&place.name)).map(at).collect(), unknown);
            }
        };
        let none = found.is_empty().then(|| ("credentials/no-container", "spec.containers".to_owned()));
        (found, none.into_iter().collect())
    }
}

/// Whether a text can be a Secret's name.
fn is_subdomain(text: &str) -> bool {
    let is_alphanumeric = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_label = |label: &str| {
        label.starts_with(is_alphanumeric)
            && label.ends_with(is_alphanumeric)
            && label.chars().all(|letter| is_alphanumeric(letter) || letter == '-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
