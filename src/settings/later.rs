//! Sections whose rules are not part of this version: their form is checked, setting them is refused.

use super::FailureAction;
use super::problems::{At, Problems};
use super::read::{Pattern, Setting, section, words};
use crate::json::{Kind, Reader, Result, Text};

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
