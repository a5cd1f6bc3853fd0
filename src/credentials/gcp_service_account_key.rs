//! `gcpServiceAccountKey`: the JSON key of a Google service account, mounted from a Secret.
//!
//! `GOOGLE_APPLICATION_CREDENTIALS` is what Google's libraries read; gcloud, gsutil and bq read
//! `CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE` instead. A Secret that is changed reaches running pods, as the whole
//! directory is mounted.

use super::fields::{Project, SecretKey, SecretName};
use super::google::{DIRECTORY, FILE, PREFIX, env};
use super::{Credential, Made, SecretPart, Type, credential_type};
use crate::names::{directory_of, label_of};
use crate::requirement::{Requirement, VolumeSource};
use crate::settings::read::section;

pub(super) const TYPE: Type = Type {
    google: true,
    made: &[Made { volume: PREFIX, files: &[FILE], token: false }],
    ..credential_type!("gcpServiceAccountKey", GcpServiceAccountKey)
};

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

impl Credential for GcpServiceAccountKey<'_> {
    fn secret<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        Some(self.secret_name.as_ref().map_or(name, |secret| &secret.0))
    }

    fn secret_parts(&self) -> Vec<SecretPart<'_>> {
        vec![SecretPart::File(&self.key.0)]
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let volume = label_of(PREFIX, name);
        let directory = [DIRECTORY, &directory_of(name)].concat();
        let secret = self.secret(name).unwrap_or(name).to_owned();
        let source = VolumeSource::Secret { secret, items: vec![(self.key.0.clone().into_owned(), FILE.to_owned())] };
        let mut needs = vec![Requirement::volume(&volume, source), Requirement::mount(container, &volume, &directory)];
        env(container, &directory, self.project.as_ref(), &mut needs);
        needs
    }
}
