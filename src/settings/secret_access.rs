//! The section `secretAccess`.

use super::Action;
use super::access::Allow;
use super::problems::{At, Problems};
use super::read::{Pattern, Restriction, section};

section! {
    /// Rule `secret-access`.
    pub struct SecretAccess<'a> {
        /// The rule's action.
        "failureAction" failure_action: Option<Action> = None;
        /// Secrets protected besides the catalogue's.
        "protected" protected: Vec<ProtectedSecrets<'a>> = Vec::new();
        /// What is said of a task pod's own projected token with a credential's audience.
        "tokenAudiences" token_audiences: Action = Action::Audit;
    }
}

section! {
    /// Secrets and who may reference them.
    pub struct ProtectedSecrets<'a> {
        /// The Secrets' names, as patterns.
        "secrets" secrets: Option<Restriction<Pattern<'a>>> = None;
        /// The namespaces that they are protected in.
        "namespaces" namespaces: Option<Restriction<Pattern<'a>>> = None;
        /// Who may reference them.
        "allow" allow: Allow<'a> = Allow::default();
    }
    check check_protected;
}

fn check_protected(entry: &ProtectedSecrets<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(entry.secrets.is_some(), at.key("secrets"), "");
    problems.require(entry.namespaces.is_some(), at.key("namespaces"), "");
}
