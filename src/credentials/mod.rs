//! Credentials: what each type puts into a container.
//!
//! A type is one file with a [`Type`], and its line in [`TYPES`].

mod gcp_service_account_key;

pub use gcp_service_account_key::{FILE as GCP_FILE, GcpServiceAccountKey, PREFIX as GCP_PREFIX};

use crate::json::{Reader, Result};
use crate::requirement::Requirement;
use crate::settings::problems::{At, Problems};

/// Every credential type.
pub const TYPES: &[Type] = &[gcp_service_account_key::TYPE];

/// Types that the settings know and this version has no code for.
const LATER: &[&str] = &[
    "gcpWorkloadIdentity",
    "gkeWorkloadIdentity",
    "awsAccessKey",
    "awsWebIdentity",
    "awsPodIdentity",
    "azureWorkloadIdentity",
    "azureServicePrincipal",
    "airflowConnection",
    "vaultToken",
    "custom",
];

/// A type of credentials: its name in the settings, and the reader of its fields.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    /// What `type` says.
    pub name: &'static str,
    /// Reads the fields; `type` and `allow`, which all types have, it passes over.
    pub read: ReadType,
}

/// Reads the fields of one type, noting what is wrong with them.
pub type ReadType = for<'a> fn(&mut Reader<'a>, At<'_>, &mut Problems) -> Result<Option<Box<dyn Credential + 'a>>>;

/// A credential as configured.
pub trait Credential: std::fmt::Debug {
    /// Whether the annotation of Google's initializer can name it.
    fn is_google(&self) -> bool {
        false
    }

    /// The Secret that it reads in the pod's namespace.
    fn secret<'s>(&'s self, _name: &'s str) -> Option<&'s str> {
        None
    }

    /// What the container `container` (an index of [`Pod::containers`](crate::pod::Pod)) needs for it.
    fn require(&self, name: &str, container: usize) -> Vec<Requirement>;
}

/// The reader of the type that `type` names; an unknown one is noted.
pub(crate) fn reader_of(word: Option<&str>, at: At<'_>, problems: &mut Problems) -> Option<ReadType> {
    if let Some(found) = TYPES.iter().find(|known| word == Some(known.name)) {
        return Some(found.read);
    }
    if word.is_some_and(|word| LATER.contains(&word)) {
        problems.add(at, "is a credential type that is not part of this version: remove the credential");
    } else {
        let names: Vec<&str> = TYPES.iter().map(|known| known.name).chain(LATER.iter().copied()).collect();
        problems.choice(at, word, &names);
    }
    None
}
