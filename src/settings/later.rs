//! Sections whose rules are not part of this version: their form is checked, setting them is refused.

use super::problems::{At, Problems};
use super::read::{Labels, Pattern, Restriction, Setting, section, words};
use super::{Action, FailureAction};
use crate::json::{Kind, Reader, Result, Text};

section! {
    /// Rule `node-access`.
    pub struct NodeAccess<'a> {
        /// The rule's action.
        "failureAction" failure_action: Option<Action> = None;
        /// Paths of the node that pods may mount.
        "allowedHostPaths" allowed_host_paths: Vec<Text<'a>> = Vec::new();
    }
}

section! {
    /// Rule `service-accounts`.
    pub struct ServiceAccounts<'a> {
        /// The rule's action.
        "failureAction" failure_action: Option<Action> = None;
        /// The ServiceAccounts that are judged.
        "match" matches: AccountMatch<'a> = AccountMatch::default();
        /// The value to hold to; null: leave alone.
        "automountServiceAccountToken" automount: Option<bool> = Some(false);
        /// Whether `mutate` mends what it finds.
        "repair" repair: bool = false;
        /// Cloud roles and the ServiceAccounts that have them.
        "roles" roles: Vec<Role<'a>> = Vec::new();
        /// What is said of a component's pod whose ServiceAccount lacks its role.
        "workloads" workloads: Action = Action::Audit;
        /// What is said of an identity annotation that nobody granted.
        "identityAnnotations" identity_annotations: Action = Action::Enforce;
    }
}

section! {
    /// The ServiceAccounts that are judged.
    pub struct AccountMatch<'a> {
        /// Their labels.
        "labels" labels: Labels<'a> = Labels(vec![("tier".into(), "airflow".into())]);
        /// Their names, as patterns.
        "names" names: Vec<Pattern<'a>> = Vec::new();
    }
}

section! {
    /// A cloud role.
    pub struct Role<'a> {
        /// The annotation that grants it.
        "annotation" annotation: Option<Pattern<'a>> = None;
        /// The annotation's value.
        "value" value: Option<Text<'a>> = None;
        /// Namespaces.
        "namespaces" namespaces: Option<Restriction<Pattern<'a>>> = None;
        /// Values of the label `component`.
        "components" components: Option<Restriction<Pattern<'a>>> = None;
        /// Names, as patterns.
        "names" names: Option<Restriction<Pattern<'a>>> = None;
    }
}

section! {
    /// Rule `pod-operator`.
    pub struct PodOperator<'a> {
        /// The rule's action.
        "failureAction" failure_action: Option<Action> = None;
        /// Whether pods with the ServiceAccount `default` are denied.
        "denyDefaultServiceAccount" deny_default: bool = true;
    }
}

section! {
    /// Rule `rbac`.
    pub struct Rbac<'a> {
        /// The rule's action.
        "failureAction" failure_action: FailureAction = FailureAction::Audit;
        /// The access that components need.
        "components" components: Vec<ComponentAccess<'a>> = Vec::new();
        /// Whether launchers are asked for too.
        "launchers" launchers: bool = true;
    }
}

section! {
    /// The access that a component needs.
    pub struct ComponentAccess<'a> {
        /// A name of `tokenMounts.components`.
        "name" name: Option<Pattern<'a>> = None;
        /// The access.
        "access" access: Vec<Access<'a>> = Vec::new();
        /// Where it is needed; empty: in the pod's own namespace.
        "namespaces" namespaces: Vec<Text<'a>> = Vec::new();
    }
}

words! {
    /// Access that has a name.
    pub enum NamedAccess {
        /// Starts pods and follows them.
        PodLauncher = "pod-launcher",
        /// Reads logs.
        LogReader = "log-reader",
        /// Deletes finished pods.
        Cleanup = "cleanup",
        /// Starts Jobs and follows them.
        JobLauncher = "job-launcher",
    }
}

/// Access by name, or as a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Access<'a> {
    /// By name.
    Named(NamedAccess),
    /// As a rule.
    Rule(AccessRule<'a>),
}

impl<'a> Setting<'a> for Access<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        Ok(match reader.kind()? {
            Kind::Object => AccessRule::read(reader, at, problems)?.map(Self::Rule),
            _ => NamedAccess::read(reader, at, problems)?.map(Self::Named),
        })
    }
}

section! {
    /// A rule as RBAC writes it.
    pub struct AccessRule<'a> {
        /// Verbs.
        "verbs" verbs: Vec<Text<'a>> = Vec::new();
        /// The API group.
        "group" group: Text<'a> = Text::default();
        /// The resource.
        "resource" resource: Text<'a> = Text::default();
        /// The subresource.
        "subresource" subresource: Text<'a> = Text::default();
    }
}
