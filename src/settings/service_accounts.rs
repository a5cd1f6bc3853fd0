//! The section `serviceAccounts`.

use super::Action;
use super::pattern::any;
use super::problems::{At, Problems};
use super::read::{Labels, Pattern, Restriction, Setting, section};
use crate::credentials::fields::{is_google_email, is_guid, is_role_arn};
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
    check check_role;
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

/// An annotation that gives a ServiceAccount a cloud's identity, or says how it is used.
#[derive(Debug, Clone, Copy)]
pub struct IdentityAnnotation {
    /// Its key; a prefix where it ends with `-`.
    pub key: &'static str,
    /// Whether it gives an identity by itself: one that nobody granted is a finding.
    pub grants: bool,
    expected: &'static str,
    is_value: fn(&str) -> bool,
}

/// The annotations that are known, and who reads them.
pub const IDENTITY_ANNOTATIONS: &[IdentityAnnotation] = &[
    // The EKS pod identity webhook (IRSA).
    identity("eks.amazonaws.com/role-arn", true, "the ARN of an IAM role", is_role_arn),
    identity("eks.amazonaws.com/audience", false, "an audience", is_word),
    identity("eks.amazonaws.com/sts-regional-endpoints", false, "\"true\" or \"false\"", is_bool),
    identity("eks.amazonaws.com/token-expiration", false, "seconds between 600 and 86400", is_seconds),
    // GKE's metadata server.
    identity("iam.gke.io/gcp-service-account", true, "the email of a Google service account", is_google_email),
    // The Azure workload identity webhook.
    identity("azure.workload.identity/client-id", true, "a GUID", is_guid),
    identity("azure.workload.identity/tenant-id", true, "a GUID", is_guid),
    identity(
        "azure.workload.identity/service-account-token-expiration",
        false,
        "seconds between 3600 and 86400",
        is_seconds,
    ),
    // Google's workload identity federation outside of GKE (the webhook of pfnet).
    identity("cloud.google.com/service-account-email", true, "the email of a Google service account", is_google_email),
    identity("cloud.google.com/workload-identity-provider", true, "a provider's resource name", is_word),
    // Alibaba Cloud's pod identity webhook.
    identity("pod-identity.alibabacloud.com/role-name", true, "a role's name", is_word),
    // Vault's Kubernetes auth method takes these for the metadata that its policies are templated with.
    identity("vault.hashicorp.com/alias-metadata-", true, "a text without white space", is_word),
];

/// The label that the Azure webhook looks for, and the annotation that it goes with.
pub const AZURE_LABEL: (&str, &str, &str) =
    ("azure.workload.identity/client-id", "azure.workload.identity/use", "true");

const fn identity(
    key: &'static str,
    grants: bool,
    expected: &'static str,
    is_value: fn(&str) -> bool,
) -> IdentityAnnotation {
    IdentityAnnotation { key, grants, expected, is_value }
}

impl IdentityAnnotation {
    /// The known annotation of that key.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Self> {
        let is = |known: &&Self| known.key == key || known.key.ends_with('-') && key.starts_with(known.key);
        IDENTITY_ANNOTATIONS.iter().find(is)
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn is_bool(text: &str) -> bool {
    matches!(text, "true" | "false")
}

fn is_seconds(text: &str) -> bool {
    text.parse().is_ok_and(|seconds: u32| (600..=86_400).contains(&seconds))
}

fn check_role(role: &Role<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(role.annotation.is_some(), at.key("annotation"), "");
    problems.require(role.value.is_some(), at.key("value"), "");
    problems.require(role.namespaces.is_some(), at.key("namespaces"), "");
    if role.components.is_none() && role.names.is_none() {
        problems.require(false, at.key("components"), ": they or `names`; the role would be everybody's");
    }
    let (Some(annotation), Some(value)) = (&role.annotation, &role.value) else { return };
    match IdentityAnnotation::of(&annotation.0) {
        Some(known) if !(known.is_value)(value) => {
            problems.add(at.key("value"), format!("must be {}, for `{}`", known.expected, known.key));
        }
        None if value.is_empty() => problems.add(at.key("value"), "must not be empty"),
        _ => {}
    }
}

impl ServiceAccounts<'_> {
    /// The roles that a ServiceAccount has, the first for each annotation. `labels` are those that `match` is held
    /// against, and `component` is what they say; of a ServiceAccount or of its pod.
    pub fn roles_of<'r>(
        &'r self,
        namespace: &'r str,
        name: &'r str,
        labels: &'r Metadata<'_>,
    ) -> impl Iterator<Item = (&'r str, &'r str)> {
        let airflow = self.matches.labels.0.iter().all(|(key, value)| labels.label(key) == Some(value.as_ref()));
        let component = labels.label("component").filter(|_| airflow);
        let has = move |role: &&Role<'_>| {
            role.namespaces.as_ref().is_some_and(|list| any(&list.0, namespace))
                && role.components.as_ref().is_none_or(|list| component.is_some_and(|found| any(&list.0, found)))
                && role.names.as_ref().is_none_or(|list| any(&list.0, name))
        };
        self.roles.iter().enumerate().filter(move |(_, role)| has(role)).filter_map(move |(index, role)| {
            let same = |other: &&Role<'_>| other.annotation == role.annotation && has(other);
            let first = !self.roles.iter().take(index).any(|other| same(&other));
            let (annotation, value) = (role.annotation.as_ref()?, role.value.as_ref()?);
            first.then_some((annotation.0.as_ref(), value.as_ref()))
        })
    }

    /// Whether identities are judged in a namespace: where a role is given out.
    #[must_use]
    pub fn guards(&self, namespace: &str) -> bool {
        let mut roles = self.roles.iter();
        roles.any(|role| role.namespaces.as_ref().is_some_and(|list| any(&list.0, namespace)))
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
