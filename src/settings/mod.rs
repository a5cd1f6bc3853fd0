//! The settings document: what the operator wrote, with the defaults filled in.
//!
//! One reader serves `validate_settings`, which wants every problem, and every request, which wants speed: the catalogue
//! of credentials is passed over unread until a pod names one of them.

pub mod access;
mod catalogue;
mod node_access;
pub mod pattern;
mod pod_operator;
pub(crate) mod problems;
mod rbac;
pub(crate) mod read;
#[cfg(not(target_family = "wasm"))]
pub mod schema;
mod secret_access;
mod service_accounts;
pub mod token_mounts;

pub use access::{Allow, Exception, ExceptionMatch, Override};
pub use catalogue::{Catalogue, Entry, Injection, Uncatalogued};
pub use node_access::NodeAccess;
pub use pod_operator::PodOperator;
pub use rbac::{Access, ComponentAccess, NamedAccess, Rbac};
pub use read::{Labels, Pattern, Restriction, Setting};
pub use secret_access::{ProtectedSecrets, SecretAccess};
pub use service_accounts::{AZURE_LABEL, IdentityAnnotation, ServiceAccounts};
pub use token_mounts::{AirflowPods, Audiences, Component, OtherPods, Templates, TokenMounts, TokenVolume};

use crate::json::{Kind, Reader, Result};
use crate::rules::Rule;
use pattern::AccountPattern;
use problems::{At, Problems};
use read::{section, words};

words! {
    /// What the module is deployed as.
    pub enum Mode {
        /// Repairs what can be repaired and denies the rest.
        Mutate = "mutate",
        /// Changes nothing; denies what `mutate` would have repaired or denied.
        Validate = "validate",
    }
}

words! {
    /// What a finding leads to.
    pub enum Action {
        /// Nothing: the rule is not run.
        Off = "Off",
        /// A warning and an audit annotation.
        Audit = "Audit",
        /// A repair or a denial.
        Enforce = "Enforce",
    }
}

words! {
    /// [`Action`] where `Off` is no choice.
    pub enum FailureAction {
        /// A warning and an audit annotation.
        Audit = "Audit",
        /// A repair or a denial.
        Enforce = "Enforce",
    }
}

impl From<FailureAction> for Action {
    fn from(action: FailureAction) -> Self {
        match action {
            FailureAction::Audit => Self::Audit,
            FailureAction::Enforce => Self::Enforce,
        }
    }
}

words! {
    /// What a failed cluster lookup leads to.
    pub enum LookupError {
        /// A warning.
        Warn = "Warn",
        /// A denial with code 500.
        Deny = "Deny",
    }
}

section! {
    /// The whole document.
    pub struct Settings<'a> {
        /// What the module is deployed as.
        "mode" mode: Mode = Mode::Mutate;
        /// What a finding leads to, unless a section or an override says otherwise.
        "failureAction" failure_action: FailureAction = FailureAction::Enforce;
        /// Other actions for some namespaces; the first that matches counts.
        "failureActionOverrides" overrides: Vec<Override<'a>> = Vec::new();
        /// Objects that are excused from rules.
        "exceptions" exceptions: Vec<Exception<'a>> = Vec::new();
        /// Facts about the Airflow installation.
        "airflow" airflow: Airflow<'a> = Airflow::default();
        /// What a failed cluster lookup leads to.
        "onLookupError" on_lookup_error: LookupError = LookupError::Warn;
        /// Rule `token-mounts`.
        "tokenMounts" token_mounts: TokenMounts<'a> = TokenMounts::default();
        /// Rule `node-access`.
        "nodeAccess" node_access: NodeAccess<'a> = NodeAccess::default();
        /// The catalogue of rule `credentials`.
        "credentials" credentials: Catalogue<'a> = Catalogue::default();
        /// How credentials are injected.
        "credentialInjection" injection: Injection<'a> = Injection::default();
        /// Rule `secret-access`.
        "secretAccess" secret_access: SecretAccess<'a> = SecretAccess::default();
        /// Rule `service-accounts`.
        "serviceAccounts" service_accounts: Option<ServiceAccounts<'a>> = None;
        /// Rule `pod-operator`.
        "podOperator" pod_operator: Option<PodOperator<'a>> = None;
        /// Rule `rbac`.
        "rbac" rbac: Option<Rbac<'a>> = None;
    }
    check check;
}

section! {
    /// Facts about the Airflow installation.
    pub struct Airflow<'a> {
        /// The ServiceAccounts that create task pods.
        "launchers" launchers: Vec<AccountPattern<'a>> = DEFAULT_LAUNCHERS.map(|name| AccountPattern(name.into())).to_vec();
    }
}

/// The names that the Airflow chart gives to the ServiceAccounts that create task pods.
pub const DEFAULT_LAUNCHERS: [&str; 3] = ["*/*airflow*-scheduler", "*/*airflow*-worker", "*/*airflow*-triggerer"];

fn check(settings: &Settings<'_>, at: At<'_>, problems: &mut Problems) {
    for (index, exception) in settings.exceptions.iter().enumerate() {
        if settings.exceptions.iter().take(index).any(|other| other.name == exception.name) {
            problems.add(
                at.key("exceptions").index(index).key("name"),
                "names an exception that another one names already",
            );
        }
    }
    for (index, wanted) in settings.rbac.iter().flat_map(|rbac| &rbac.components).enumerate() {
        let known = settings.token_mounts.components.iter().any(|component| component.name == wanted.name);
        if wanted.name.is_some() && !known {
            problems.add(
                at.key("rbac").key("components").index(index).key("name"),
                "names no component of `tokenMounts.components`",
            );
        }
    }
    let repairs = |section: &ServiceAccounts<'_>| section.repair && section.automount.0 == Some(false);
    if settings.service_accounts.as_ref().is_some_and(repairs) && !settings.token_mounts.volume.enabled {
        let text = "needs `tokenMounts.serviceAccountTokenVolume.enabled: true`: with automounting off everywhere the scheduler would start without a token";
        problems.add(at.key("serviceAccounts").key("repair"), text);
    }
}

impl<'a> Settings<'a> {
    /// Reads the settings that come next, as every request brings them: the catalogue stays unread.
    ///
    /// # Errors
    /// When they are not JSON.
    pub fn read(reader: &mut Reader<'a>, problems: &mut Problems) -> Result<Self> {
        if reader.null()? {
            return Ok(Self::default());
        }
        Ok(<Self as Setting<'a>>::read(reader, At::ROOT, problems)?.unwrap_or_default())
    }

    /// Everything that is wrong with a settings document, catalogue included.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn problems(document: &'a str) -> Result<Vec<String>> {
        let mut problems = Problems::default();
        let mut reader = Reader::new(document);
        if reader.kind()? == Kind::Null {
            reader.skip()?;
        } else {
            let settings = Self::read(&mut reader, &mut problems)?;
            settings.credentials.check(At::ROOT.key("credentials"), &settings.token_mounts, &mut problems)?;
        }
        reader.end()?;
        Ok(problems.into_vec())
    }

    /// The action of a rule in a namespace, and what decides it: its section's `Off`, else the first override that
    /// matches, else its section's action, else the global one.
    #[must_use]
    pub fn action(&self, rule: Rule, namespace: &str) -> (Action, DecidedBy) {
        let section = match rule {
            Rule::Credentials => self.injection.failure_action,
            Rule::TokenMounts => self.token_mounts.failure_action,
            Rule::SecretAccess if self.credentials.is_empty() && self.secret_access.protected.is_empty() => {
                Some(Action::Off)
            }
            Rule::SecretAccess => self.secret_access.failure_action,
            Rule::NodeAccess => Some(self.node_access.failure_action.unwrap_or(Action::Audit)),
            Rule::ServiceAccounts => match &self.service_accounts {
                Some(section) => section.failure_action,
                None => Some(Action::Off),
            },
            Rule::PodOperator => match &self.pod_operator {
                Some(section) => section.failure_action,
                None => Some(Action::Off),
            },
            Rule::Rbac => match &self.rbac {
                Some(section) => Some(section.failure_action),
                None => Some(Action::Off),
            },
        };
        if section == Some(Action::Off) {
            return (Action::Off, DecidedBy::Section);
        }
        let mut overrides = self.overrides.iter().enumerate();
        if let Some((index, entry)) = overrides.find(|(_, entry)| entry.concerns(rule, namespace)) {
            return (entry.action.map_or(Action::Enforce, Action::from), DecidedBy::Override(index));
        }
        match section {
            Some(action) => (action, DecidedBy::Section),
            None => (self.failure_action.into(), DecidedBy::Global),
        }
    }
}

/// What decides a rule's action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecidedBy {
    /// `failureAction` of the rule's section.
    Section,
    /// An entry of `failureActionOverrides`.
    Override(usize),
    /// The global `failureAction`.
    Global,
}
