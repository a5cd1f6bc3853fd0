//! The section `serviceAccounts`.

use super::Action;
use super::pattern::any;
use super::problems::{At, Problems};
use super::read::{Labels, Pattern, Restriction, Setting, section};
use crate::json::{Reader, Result, Text};
use crate::pod::Metadata;

section! {
    /// Rule `service-accounts`.
    pub struct ServiceAccounts<'a> {
        /// The rule's action.
        "failureAction" failure_action: Option<Action> = None;
        /// The ServiceAccounts that are judged.
        "match" matches: AccountMatch<'a> = AccountMatch::default();
        /// The value to hold to; null: leave alone.
        "automountServiceAccountToken" automount: Automount = Automount(Some(false));
        /// Whether `mutate` mends what it finds.
        "repair" repair: bool = false;
        /// Cloud roles and the ServiceAccounts that have them.
        "roles" roles: Vec<Role<'a>> = Vec::new();
        /// What is said of a component's pod whose ServiceAccount lacks its role.
        "workloads" workloads: Action = Action::Audit;
        /// What is said of an identity annotation that nobody granted.
        "identityAnnotations" identity_annotations: Action = Action::Enforce;
    }
    check check;
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

/// What ServiceAccounts are to say; null: what they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Automount(pub Option<bool>);

impl<'a> Setting<'a> for Automount {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        Ok(bool::read(reader, at, problems)?.map(|value| Self(Some(value))))
    }

    fn null() -> Option<Self> {
        Some(Self(None))
    }
}

fn check(section: &ServiceAccounts<'_>, at: At<'_>, problems: &mut Problems) {
    if !section.roles.is_empty() {
        problems.add(at.key("roles"), "asks for cloud roles, which are not part of this version: remove the key");
    }
}

impl AccountMatch<'_> {
    /// Whether a ServiceAccount is judged: labels and name both match. `default` is, only where it is listed as it is:
    /// holding it to anything keeps the cluster from making namespaces usable.
    #[must_use]
    pub fn concerns(&self, metadata: &Metadata<'_>) -> bool {
        let name = metadata.name.as_ref();
        let named = if name == "default" {
            self.names.iter().any(|pattern| pattern.0 == "default")
        } else {
            self.names.is_empty() || any(&self.names, name)
        };
        named && self.labels.0.iter().all(|(key, value)| metadata.label(key) == Some(value.as_ref()))
    }
}
