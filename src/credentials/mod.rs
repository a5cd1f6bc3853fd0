//! Credentials: what each type puts into a container.
//!
//! A type is one file with a [`Type`], and its line in [`TYPES`].

mod airflow_connection;
mod aws;
mod aws_access_key;
mod aws_pod_identity;
mod aws_web_identity;
mod azure_service_principal;
mod azure_workload_identity;
mod custom;
pub(crate) mod fields;
mod gcp_service_account_key;
mod gcp_workload_identity;
mod gke_workload_identity;
mod google;
mod vault_token;

pub use gcp_service_account_key::GcpServiceAccountKey;
pub use gcp_workload_identity::external_account;
pub use google::DIRECTORY as GOOGLE_DIRECTORY;

use crate::json::{Reader, Result};
use crate::pod::{Source, Volume};
use crate::requirement::Requirement;
use crate::settings::problems::{At, Problems};

/// Every credential type.
pub const TYPES: &[Type] = &[
    gcp_service_account_key::TYPE,
    gcp_workload_identity::TYPE,
    gke_workload_identity::TYPE,
    aws_access_key::TYPE,
    aws_web_identity::TYPE,
    aws_pod_identity::TYPE,
    azure_workload_identity::TYPE,
    azure_service_principal::TYPE,
    airflow_connection::TYPE,
    vault_token::TYPE,
    custom::TYPE,
];

/// What the file with a projected token is called where nobody else named it.
const TOKEN_FILE: &str = "token";

/// A type of credentials: its name in the settings, and the reader of its fields.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    /// What `type` says.
    pub name: &'static str,
    /// Whether the annotation of Google's initializer can name it.
    pub google: bool,
    /// Whether it may have a token projected.
    pub token: bool,
    /// The audience of its token where the settings name none.
    pub audience: Option<&'static str>,
    /// What tells its volumes in a pod whose annotations say nothing any more.
    pub made: &'static [Made],
    /// Reads the fields; `type` and `allow`, which all types have, it passes over.
    pub read: ReadType,
    /// The schema of the fields.
    #[cfg(not(target_family = "wasm"))]
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// How a volume that the policy made for a credential is told from a user's own: by its name and what it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// What its name begins with.
    volume: &'static str,
    /// The files in it, in order; none: any.
    files: &'static [&'static str],
    /// Whether it is projected with a token; a Secret otherwise.
    token: bool,
}

/// Reads the fields of one type, noting what is wrong with them.
pub type ReadType = for<'a> fn(&mut Reader<'a>, At<'_>, &mut Problems) -> Result<Option<Box<dyn Credential + 'a>>>;

/// A credential as configured.
pub trait Credential {
    /// The Secret that it reads in the pod's namespace.
    fn secret<'s>(&'s self, _name: &'s str) -> Option<&'s str> {
        None
    }

    /// The keys of that Secret, as `kubectl create secret generic` makes them.
    fn secret_parts(&self) -> Vec<SecretPart<'_>> {
        Vec::new()
    }

    /// The audience of the token that it has projected.
    fn audience(&self) -> Option<&str> {
        None
    }

    /// The Google service account that the pod's ServiceAccount must be annotated with.
    fn gke_email(&self) -> Option<&str> {
        None
    }

    /// What the container `container` (an index of [`Pod::containers`](crate::pod::Pod)) needs for it.
    fn require(&self, name: &str, container: usize) -> Vec<Requirement>;
}

impl std::fmt::Debug for dyn Credential + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential")
    }
}

/// A key of a Secret, by what is usually in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPart<'s> {
    /// A file.
    File(&'s str),
    /// A text, in which the newline at a file's end would be part of the credential.
    Text(&'s str),
    /// Every file of a directory.
    All,
}

/// A type that has none of the traits which a [`Type`] can have, for `..` in the types' own.
macro_rules! credential_type {
    ($name:literal, $fields:ident) => {{
        fn read<'a>(
            reader: &mut $crate::json::Reader<'a>,
            at: $crate::settings::problems::At<'_>,
            problems: &mut $crate::settings::problems::Problems,
        ) -> $crate::json::Result<Option<Box<dyn $crate::credentials::Credential + 'a>>> {
            let fields = <$fields<'a> as $crate::settings::Setting<'a>>::read(reader, at, problems)?;
            Ok(fields.map(|fields| Box::new(fields) as Box<dyn $crate::credentials::Credential + 'a>))
        }
        $crate::credentials::Type {
            name: $name,
            google: false,
            token: false,
            audience: None,
            made: &[],
            read,
            #[cfg(not(target_family = "wasm"))]
            schema: <$fields<'static> as schemars::JsonSchema>::json_schema,
        }
    }};
}
use credential_type;

/// The type of that name.
#[must_use]
pub fn type_of(word: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.name == word)
}

/// The type that `type` names; an unknown one is noted.
pub(crate) fn checked_type(word: Option<&str>, at: At<'_>, problems: &mut Problems) -> Option<&'static Type> {
    let found = word.and_then(type_of);
    if found.is_none() {
        let names: Vec<&str> = TYPES.iter().map(|known| known.name).collect();
        problems.choice(at, word, &names);
    }
    found
}

/// Whether a volume is one that the policy makes for a credential.
#[must_use]
pub fn is_injected(volume: &Volume<'_>) -> bool {
    TYPES.iter().flat_map(|known| known.made).any(|made| made.is(volume))
}

impl Made {
    fn is(&self, volume: &Volume<'_>) -> bool {
        if !volume.name.starts_with(self.volume) {
            return false;
        }
        match (&volume.secret, &volume.projected) {
            (Some(secret), None) if !self.token => {
                let files = secret.items.iter().map(|(_, path)| path.as_ref());
                self.files.is_empty() || files.eq(self.files.iter().copied())
            }
            (None, Some(projected)) if self.token => {
                let token = |source: &Source<'_>| matches!(source, Source::Token { .. });
                let file = |source: &Source<'_>| match source {
                    Source::Token { path, .. } | Source::Downward(Some((_, path))) => Some(path.to_string()),
                    _ => None,
                };
                let files = projected.sources.iter().map(file);
                projected.sources.iter().any(token)
                    && (self.files.is_empty() || files.eq(self.files.iter().map(|file| Some((*file).to_owned()))))
            }
            _ => false,
        }
    }
}
