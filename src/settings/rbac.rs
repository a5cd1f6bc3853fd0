//! The section `rbac`.

use super::Action;
use super::problems::{At, Problems};
use super::read::{Pattern, Setting, section, text, words};
use crate::json::{Kind, Reader, Result, Text};
use crate::names::is_dns_label;

section! {
    /// Rule `rbac`.
    pub struct Rbac<'a> {
        /// The rule's action.
        "failureAction" failure_action: Action = Action::Audit;
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
        "namespaces" namespaces: Vec<Namespace<'a>> = Vec::new();
    }
    check check_component;
}

text! {
    /// The name of a namespace.
    Namespace, "the name of a namespace (a DNS label; patterns are not taken here)", is_dns_label
}

fn check_component(component: &ComponentAccess<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(component.name.is_some(), at.key("name"), "");
    problems.require(!component.access.is_empty(), at.key("access"), ": the access that the component needs");
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
    check check_rule;
}

fn check_rule(rule: &AccessRule<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(!rule.verbs.is_empty(), at.key("verbs"), "");
    problems.require(!rule.resource.is_empty(), at.key("resource"), "");
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'*'));
    let named = [("group", &rule.group), ("resource", &rule.resource), ("subresource", &rule.subresource)];
    for (key, _) in named.iter().filter(|(_, text)| !word(text)) {
        problems.add(at.key(key), "must be letters, digits, `-` and `.`; a subresource has a key of its own");
    }
    for (index, _) in rule.verbs.iter().enumerate().filter(|(_, verb)| verb.is_empty() || !word(verb)) {
        problems.add(at.key("verbs").index(index), "must be a verb, such as `get`");
    }
}
