//! `gcpServiceAccountKey`: the JSON key of a Google service account, mounted from a Secret.
//!
//! `GOOGLE_APPLICATION_CREDENTIALS` is what Google's libraries read; gcloud, gsutil and bq read
//! `CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE` instead. A Secret that is changed reaches running pods, as the whole
//! directory is mounted.

use super::{Credential, Type};
use crate::json::{Reader, Result, Text};
use crate::names::{directory_of, is_dns_subdomain, is_secret_key, label_of};
use crate::requirement::{Requirement, VolumeSource};
use crate::settings::problems::{At, Problems};
use crate::settings::read::{Setting, checked, section};

pub(super) const TYPE: Type = Type { name: "gcpServiceAccountKey", read };

/// Where the directory of every Google credential stands.
const DIRECTORY: &str = "/var/run/secrets/gcp/";
/// What the key's file is called, whatever the Secret calls it.
pub const FILE: &str = "key.json";
/// What the volume's name begins with.
pub const PREFIX: &str = "gcp-";

section! {
    /// The fields.
    pub struct GcpServiceAccountKey<'a> also ["type", "allow"] {
        /// The Secret; absent: named like the credential.
        "secretName" secret_name: Option<SecretName<'a>> = None;
        /// The key of the Secret that holds the JSON.
        "key" key: SecretKey<'a> = SecretKey(FILE.into());
        /// The project that libraries work in.
        "project" project: Option<Project<'a>> = None;
    }
}

/// The name of a Secret.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretName<'a>(pub Text<'a>);

impl<'a> Setting<'a> for SecretName<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        Ok(checked(reader, at, problems, "the name of a Secret (a DNS subdomain)", is_dns_subdomain)?.map(Self))
    }
}

/// A key of a Secret's data.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretKey<'a>(pub Text<'a>);

impl<'a> Setting<'a> for SecretKey<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        let expected = "a key of a Secret (letters, digits, `-`, `_` and `.`)";
        Ok(checked(reader, at, problems, expected, is_secret_key)?.map(Self))
    }
}

/// The id of a Google Cloud project.
#[derive(Debug, Clone, PartialEq)]
pub struct Project<'a>(pub Text<'a>);

impl<'a> Setting<'a> for Project<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        let expected = "the id of a Google Cloud project (6 to 30 lower-case letters, digits and `-`)";
        Ok(checked(reader, at, problems, expected, is_project)?.map(Self))
    }
}

/// Old projects carry their domain in front: `example.com:project`.
fn is_project(text: &str) -> bool {
    let (domain, id) = text.split_once(':').unwrap_or(("a", text));
    let letters = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    is_dns_subdomain(domain)
        && (6..=30).contains(&id.len())
        && id.bytes().all(letters)
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
}

fn read<'a>(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Box<dyn Credential + 'a>>> {
    let fields = GcpServiceAccountKey::read(reader, at, problems)?;
    Ok(fields.map(|fields| Box::new(fields) as Box<dyn Credential + 'a>))
}

impl Credential for GcpServiceAccountKey<'_> {
    fn is_google(&self) -> bool {
        true
    }

    fn secret<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        Some(self.secret_name.as_ref().map_or(name, |secret| &secret.0))
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let volume = label_of(PREFIX, name);
        let directory = format!("{DIRECTORY}{}", directory_of(name));
        let file = format!("{directory}/{FILE}");
        let secret = self.secret(name).unwrap_or(name).to_owned();
        let source = VolumeSource::Secret { secret, items: vec![(self.key.0.clone().into_owned(), FILE.to_owned())] };
        let mut needs = vec![
            Requirement::volume(&volume, source),
            Requirement::mount(container, &volume, &directory),
            Requirement::env(container, "GOOGLE_APPLICATION_CREDENTIALS", &file),
            Requirement::env(container, "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", &file),
        ];
        if let Some(project) = &self.project {
            needs.push(Requirement::env(container, "GOOGLE_CLOUD_PROJECT", &project.0));
        }
        needs
    }
}
