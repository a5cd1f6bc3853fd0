//! A cluster written down in a file. What the file does not list is missing, or denied.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::objects::{Lookup, Secret, ServiceAccount};
use super::{Access, Cluster, access};
use crate::documents;

/// The objects and rights that a policy finds when it looks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fixture {
    /// ServiceAccounts that exist.
    pub service_accounts: Vec<ServiceAccount>,
    /// Secrets that exist.
    pub secrets: Vec<Secret>,
    /// Rights that somebody has.
    pub access: Vec<Access>,
    /// Lookups that fail.
    pub failures: Vec<Failure>,
}

/// A lookup that fails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The operation, such as `get_resource` or `can_i`.
    pub operation: Operation,
    /// The text of the failure.
    pub message: String,
}

/// The operations that a fixture answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are Kubewarden's")]
pub enum Operation {
    GetResource,
    ListResourcesByNamespace,
    ListResourcesAll,
    CanI,
}

/// Why a fixture can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The fixture's file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not a fixture.
    #[error("{}:{reason}", path.display())]
    Syntax {
        /// The fixture's file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: documents::SyntaxError,
    },
    /// It means nothing, or two things.
    #[error("{}: {reason}", path.display())]
    Meaning {
        /// The fixture's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Fixture {
    /// Reads a fixture from a YAML or JSON file.
    ///
    /// # Errors
    /// When the file can't be read, or is no fixture.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FixtureError> {
        let path = path.as_ref().to_owned();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(FixtureError::Read { path, source }),
        };
        let mut fixtures = match documents::parse::<Self>(&bytes) {
            Ok(fixtures) => fixtures,
            Err(reason) => return Err(FixtureError::Syntax { path, reason }),
        };
        match (fixtures.pop(), fixtures.len()) {
            (Some(document), 0) => match document.value.problem() {
                Some(reason) => Err(FixtureError::Meaning { path, reason }),
                None => Ok(document.value),
            },
            (None, _) => Err(FixtureError::Meaning { path, reason: "the file is empty".to_owned() }),
            _ => Err(FixtureError::Meaning {
                path,
                reason: "a cluster is one document, and these are several".to_owned(),
            }),
        }
    }

    fn problem(&self) -> Option<String> {
        let odd = |grant: &Access| grant.user.is_some() == grant.group.is_some();
        let index = self.access.iter().position(odd)?;
        Some(format!("`access[{index}]` needs either `user` or `group`"))
    }
}

impl Cluster for Fixture {
    fn answer(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let known: Operation = serde_json::from_value(operation.into())
            .map_err(|_| format!("kubernetes/{operation}: no such operation"))?;
        if let Some(failure) = self.failures.iter().find(|failure| failure.operation == known) {
            return Err(failure.message.clone());
        }
        let lookup = || {
            serde_json::from_slice::<Lookup>(payload)
                .map_err(|error| format!("{operation}: the request can't be read: {error}"))
        };
        let answer = match known {
            Operation::GetResource => self.get(&lookup()?)?,
            Operation::ListResourcesByNamespace | Operation::ListResourcesAll => self.list(&lookup()?)?,
            Operation::CanI => access::can_i(&self.access, payload)?,
        };
        Ok(answer.to_string().into_bytes())
    }
}
