//! The section `podOperator`.

use super::Action;
use super::read::section;

section! {
    /// Rule `pod-operator`.
    pub struct PodOperator<'a> {
        /// The rule's action.
        "failureAction" failure_action: Option<Action> = None;
        /// Whether pods with the ServiceAccount `default` are denied.
        "denyDefaultServiceAccount" deny_default: bool = true;
    }
}
