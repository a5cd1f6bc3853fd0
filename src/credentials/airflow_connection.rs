//! `airflowConnection`: an Airflow connection, from a Secret. Airflow looks a connection id up in the environment before
//! its database, so DAGs that name the id run unchanged. Env does not change in a running pod.

use super::fields::{ConnectionId, SecretKey, SecretName};
use super::{Credential, SecretPart, Type, credential_type};
use crate::requirement::Requirement;
use crate::settings::problems::{At, Problems};
use crate::settings::read::section;

pub(super) const TYPE: Type = credential_type!("airflowConnection", AirflowConnection);

section! {
    /// The fields.
    pub struct AirflowConnection<'a> also ["type", "allow"] {
        /// The connection's id, as DAGs name it.
        "connectionId" id: Option<ConnectionId<'a>> = None;
        /// The Secret; absent: named like the credential.
        "secretName" secret_name: Option<SecretName<'a>> = None;
        /// The key of the Secret that holds the connection: a URI, or JSON.
        "key" key: SecretKey<'a> = SecretKey("connection".into());
    }
    check check;
}

fn check(fields: &AirflowConnection<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(fields.id.is_some(), at.key("connectionId"), "");
}

impl Credential for AirflowConnection<'_> {
    fn secret<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        Some(self.secret_name.as_ref().map_or(name, |secret| &secret.0))
    }

    fn secret_parts(&self) -> Vec<SecretPart<'_>> {
        vec![SecretPart::Text(&self.key.0)]
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let id = self.id.as_ref().map_or("", |id| &id.0);
        let variable = format!("AIRFLOW_CONN_{}", id.to_ascii_uppercase());
        let secret = self.secret(name).unwrap_or(name);
        vec![Requirement::env_of_secret(container, &variable, secret, &self.key.0)]
    }
}
