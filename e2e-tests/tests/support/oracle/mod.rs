//! The verdict a second time: written from the contract, with typed objects and without the policy's code.
//!
//! ```text
//!  settings ─► Settings ──┐
//!  pod ──────► Pod ───────┼─► who ─► credentials ─► tokens, secrets, node ─► findings ─► accepted, pod
//!  requester, groups ─────┘   (who holds a token)  (who was granted what)
//! ```
//!
//! It is slow and simple on purpose, and takes no shortcut that the policy takes.
//!
//! **Covered**: Pods on CREATE and ephemeral containers that are added to a stored pod; rules `token-mounts`, `credentials`
//! (Secrets that no catalogue knows, and all types but those below), `secret-access` and `node-access`, with actions,
//! overrides and exceptions; ServiceAccounts' automounting on CREATE.
//!
//! **Not covered**: credentials of types `gcpWorkloadIdentity`, `gkeWorkloadIdentity` and `custom`, `awsAccessKey` as a
//! file, `azureServicePrincipal` with a certificate; what is looked up (`rbac`, `verifySecrets`, cloud roles);
//! `pod-operator`; templates; other updates; the policy's own annotations; texts of messages. Settings that name any of
//! these are no [`Settings`]. Pods that the API server would not store (a volume or container twice), names that are
//! shortened, and conflicts that are only reported are [`Outside`]. The tests count what is skipped.
//!
//! The contract does not say in which order things are appended: results are compared as [`tidy`] leaves them. Where the
//! policy does otherwise than the contract has it, a comment says "A deviation" and the oracle follows the policy, so
//! that the tests find what is new.

pub mod accounts;
mod catalogue;
mod credentials;
mod debug;
mod inject;
mod literal;
mod made;
mod needs;
mod node;
pub mod pattern;
mod places;
mod secrets;
pub mod settings;
mod tokens;
mod volumes;
mod who;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Pod;

use places::{Place, Section, places};
pub use settings::{Action, Mode, Settings};

/// What is asked: may this pod be, and how.
#[derive(Debug, Clone)]
pub struct Question<'q> {
    pub pod: &'q Pod,
    /// Whether it is stored already, without its ephemeral containers, which this request adds.
    pub stored: bool,
    pub namespace: &'q str,
    /// Who asks; nobody in audit scans.
    pub user: Option<&'q str>,
    pub groups: &'q [String],
}

/// What is wrong, and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// `rule/id path`, as the audit annotation writes it.
    pub text: String,
    pub action: Action,
    /// Whether the mutating policy mends it.
    pub mended: bool,
}

/// The verdict.
#[derive(Debug)]
pub struct Answer {
    pub accepted: bool,
    /// What is told: `rule/id path`, sorted, each once.
    pub findings: Vec<String>,
    /// The pod that comes of it; as it was if nothing is changed.
    pub pod: Pod,
}

/// Why the oracle has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outside(pub &'static str);

/// All that rules look at.
struct Case<'c> {
    settings: &'c Settings,
    question: &'c Question<'c>,
    pod: &'c Pod,
    places: Vec<Place<'c>>,
}

/// What rules leave behind.
struct Outcome {
    findings: Vec<Finding>,
    /// The pod with what is mended and injected.
    pod: Pod,
}

impl Outcome {
    fn find(&mut self, id: &str, path: &str, action: Action) {
        self.findings.push(Finding { text: format!("{id} {path}"), action, mended: false });
    }

    /// Something that is mended where the action enforces.
    fn mend(&mut self, id: &str, path: &str, action: Action) {
        self.findings.push(Finding { text: format!("{id} {path}"), action, mended: true });
    }
}

/// Judges a pod.
///
/// # Errors
/// When the pod is outside of what is covered.
pub fn judge(settings: &Settings, question: &Question<'_>) -> Result<Answer, Outside> {
    let case = Case { settings, question, pod: question.pod, places: places(question.pod) };
    case.check()?;
    let outcome = case.run()?;
    if !question.stored {
        return Ok(case.answer(outcome, &[]));
    }
    let mut stored = question.pod.clone();
    if let Some(spec) = &mut stored.spec {
        spec.ephemeral_containers = None;
    }
    let stored = Case { settings, question, pod: &stored, places: places(&stored) };
    let known = stored.run()?.findings;
    Ok(case.answer(outcome, &known))
}

impl Case<'_> {
    fn run(&self) -> Result<Outcome, Outside> {
        let mut outcome = Outcome { findings: Vec::new(), pod: self.pod.clone() };
        let grants = credentials::judge(self, &mut outcome)?;
        tokens::judge(self, &grants, &mut outcome)?;
        secrets::judge(self, &grants, &mut outcome);
        node::judge(self, &mut outcome);
        Ok(outcome)
    }

    /// Whether the API server would store such a pod, as far as it matters here.
    fn check(&self) -> Result<(), Outside> {
        let mut names = BTreeSet::new();
        if self.places.iter().any(|place| place.name.is_empty() || !names.insert(place.name)) {
            return Err(Outside("a container's name is empty or stands there twice"));
        }
        if !self.places.iter().any(|place| place.section == Section::Normal) {
            return Err(Outside("no container"));
        }
        let mut names = BTreeSet::new();
        if self.volumes().iter().any(|volume| volume.name.is_empty() || !names.insert(&volume.name)) {
            return Err(Outside("a volume's name is empty or stands there twice"));
        }
        for place in &self.places {
            let mut paths = BTreeSet::new();
            if place.mounts.iter().any(|mount| mount.mount_path.is_empty() || !paths.insert(&mount.mount_path)) {
                return Err(Outside("a mount's path is empty or stands there twice"));
            }
        }
        let own = |key: &String| key.starts_with("airflow-pod-identity/gcp-");
        if self.annotations().keys().any(own) {
            return Err(Outside("one of the policy's own annotations"));
        }
        Ok(())
    }

    /// The answer, with what was `known` of the stored pod: it stays, but for what an ephemeral container brings.
    fn answer(&self, outcome: Outcome, known: &[Finding]) -> Answer {
        let mutates = self.settings.mode == Mode::Mutate;
        let changes = mutates && self.can_change();
        let is_told = |finding: &Finding| {
            let is_mended = changes && finding.mended && finding.action == Action::Enforce;
            // Under Audit too, what was asked for and may be had is injected.
            let is_injected = changes && finding.text.starts_with("credentials/not-injected");
            let is_new = !known.contains(finding) || finding.text.contains(" spec.ephemeralContainers[");
            finding.action != Action::Off && is_new && !is_mended && !is_injected
        };
        let told: Vec<Finding> = outcome.findings.into_iter().filter(is_told).collect();
        let accepted = told.iter().all(|finding| finding.action == Action::Audit);
        let pod = if accepted && changes { outcome.pod } else { self.pod.clone() };
        let mut findings: Vec<String> = told.into_iter().map(|finding| finding.text).collect();
        findings.sort();
        findings.dedup();
        Answer { accepted, findings, pod }
    }

    /// Stored pods are never changed, and static ones neither.
    fn can_change(&self) -> bool {
        !self.question.stored && !self.annotations().contains_key("kubernetes.io/config.mirror")
    }

    fn labels(&self) -> BTreeMap<String, String> {
        self.pod.metadata.labels.clone().unwrap_or_default()
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        self.pod.metadata.annotations.clone().unwrap_or_default()
    }
}

/// The pod without what means nothing: lists without entries, and the order of what the policy appended to `before`.
pub fn tidy(mut pod: Pod, before: &Pod) -> Pod {
    fn sorted<T: std::fmt::Debug>(list: &mut Option<Vec<T>>, old: usize) {
        if let Some(items) = list {
            let old = old.min(items.len());
            items[old..].sort_by_key(|item| format!("{item:?}"));
        }
        if list.as_ref().is_some_and(Vec::is_empty) {
            *list = None;
        }
    }
    let name = |mount: &k8s_openapi::api::core::v1::VolumeMount| (mount.name.clone(), mount.mount_path.clone());
    let Some(old) = &before.spec else { return pod };
    let Some(spec) = &mut pod.spec else { return pod };
    let kept = |new: &Option<Vec<k8s_openapi::api::core::v1::Volume>>| {
        let new: Vec<&String> = new.iter().flatten().map(|volume| &volume.name).collect();
        old.volumes.iter().flatten().filter(|volume| new.contains(&&volume.name)).count()
    };
    let count = kept(&spec.volumes);
    sorted(&mut spec.volumes, count);
    let olds = old.containers.iter().chain(old.init_containers.iter().flatten());
    let news = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
    for (old, new) in olds.zip(news) {
        let there: Vec<_> = new.volume_mounts.iter().flatten().map(name).collect();
        let count = old.volume_mounts.iter().flatten().filter(|mount| there.contains(&name(mount))).count();
        sorted(&mut new.volume_mounts, count);
        sorted(&mut new.env, old.env.as_ref().map_or(0, Vec::len));
    }
    pod
}
