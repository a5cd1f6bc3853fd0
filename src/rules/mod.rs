//! The rules. A rule is one file: it looks at the pod and says what it demands; it does not know which mode runs.

pub mod credentials;
pub mod node_access;
pub mod pod_operator;
pub mod rbac;
pub mod secret_access;
pub mod service_accounts;
pub mod token_mounts;

use crate::settings::read::words;

words! {
    /// Every rule, by its id.
    pub enum Rule {
        /// Injects the credentials that a pod asks for and may have.
        Credentials = "credentials",
        /// Keeps Kubernetes API tokens away from containers that need none.
        TokenMounts = "token-mounts",
        /// Keeps pods away from the node's own credentials.
        NodeAccess = "node-access",
        /// Guards the Secrets of the catalogue.
        SecretAccess = "secret-access",
        /// Guards ServiceAccounts.
        ServiceAccounts = "service-accounts",
        /// Tells KubernetesPodOperator pods with the ServiceAccount `default`.
        PodOperator = "pod-operator",
        /// Foretells a 403.
        Rbac = "rbac",
    }
}

impl Rule {
    /// The rule's id in settings and messages.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.word()
    }
}
