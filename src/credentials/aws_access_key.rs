//! `awsAccessKey`: an access key of AWS', from a Secret; as env variables, or as a credentials file.
//!
//! Env does not change in a running pod; the file does when the Secret is changed.

use super::aws::{ACCESS_KEY, SHARED_FILE, WEB_IDENTITY, region};
use super::fields::{Profile, Region, SecretKey, SecretName};
use super::{Credential, Made, SecretPart, Type, credential_type};
use crate::names::{directory_of, label_of};
use crate::requirement::{Requirement, VolumeSource};
use crate::settings::problems::{At, Problems};
use crate::settings::read::{section, words};

const PREFIX: &str = "aws-";
/// The key of the Secret that holds the file, and what the file is called.
const FILE: &str = "credentials";
const DIRECTORY: &str = "/var/run/secrets/aws/";

pub(super) const TYPE: Type = Type {
    made: &[Made { volume: PREFIX, files: &[FILE], token: false }],
    ..credential_type!("awsAccessKey", AwsAccessKey)
};

words! {
    /// The shape of the credential.
    pub enum Shape {
        /// Env variables.
        Env = "env",
        /// An INI file.
        File = "file",
    }
}

section! {
    /// The fields.
    pub struct AwsAccessKey<'a> also ["type", "allow"] {
        /// The Secret; absent: named like the credential.
        "secretName" secret_name: Option<SecretName<'a>> = None;
        /// The key of the Secret that holds the access key's id; `aws_access_key_id` when absent.
        "accessKeyIdKey" id_key: Option<SecretKey<'a>> = None;
        /// The key of the Secret that holds the secret access key; `aws_secret_access_key` when absent.
        "secretAccessKeyKey" secret_key: Option<SecretKey<'a>> = None;
        /// The key of the Secret that holds the session token, if there is one.
        "sessionTokenKey" session_key: Option<SecretKey<'a>> = None;
        /// The region.
        "region" region: Option<Region<'a>> = None;
        /// Env variables, or a file (key `credentials` of the Secret).
        "as" shape: Shape = Shape::Env;
        /// The profile of the file; `default` when absent.
        "profile" profile: Option<Profile<'a>> = None;
    }
    check check;
}

fn check(fields: &AwsAccessKey<'_>, at: At<'_>, problems: &mut Problems) {
    let env = [
        ("accessKeyIdKey", fields.id_key.is_some()),
        ("secretAccessKeyKey", fields.secret_key.is_some()),
        ("sessionTokenKey", fields.session_key.is_some()),
    ];
    for (key, _) in env.iter().filter(|(_, given)| *given && fields.shape == Shape::File) {
        problems.add(at.key(key), "means nothing with `as: file`: the file is the Secret's key `credentials`");
    }
    if fields.profile.is_some() && fields.shape == Shape::Env {
        problems.add(at.key("profile"), "means nothing without `as: file`");
    }
}

impl AwsAccessKey<'_> {
    /// Env variables and the keys of the Secret that they are.
    fn variables(&self) -> Vec<(&'static str, &str)> {
        let id = self.id_key.as_ref().map_or("aws_access_key_id", |key| &key.0);
        let secret = self.secret_key.as_ref().map_or("aws_secret_access_key", |key| &key.0);
        let mut variables = vec![(ACCESS_KEY, id), ("AWS_SECRET_ACCESS_KEY", secret)];
        variables.extend(self.session_key.as_ref().map(|key| ("AWS_SESSION_TOKEN", key.0.as_ref())));
        variables
    }
}

impl Credential for AwsAccessKey<'_> {
    fn secret<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        Some(self.secret_name.as_ref().map_or(name, |secret| &secret.0))
    }

    fn secret_parts(&self) -> Vec<SecretPart<'_>> {
        match self.shape {
            Shape::File => vec![SecretPart::File(FILE)],
            Shape::Env => self.variables().into_iter().map(|(_, key)| SecretPart::Text(key)).collect(),
        }
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let secret = self.secret(name).unwrap_or(name);
        let mut needs = Vec::new();
        match self.shape {
            Shape::Env => {
                if self.session_key.is_none() {
                    // A token of another session makes the key useless.
                    needs.push(Requirement::Unshadowed { container, names: &["AWS_SESSION_TOKEN"] });
                }
                let variables = self.variables().into_iter();
                needs.extend(
                    variables.map(|(variable, key)| Requirement::env_of_secret(container, variable, secret, key)),
                );
            }
            Shape::File => {
                let volume = label_of(PREFIX, name);
                let directory = [DIRECTORY, &directory_of(name)].concat();
                let items = vec![(FILE.to_owned(), FILE.to_owned())];
                let source = VolumeSource::Secret { secret: secret.to_owned(), items };
                let profile = self.profile.as_ref().map_or("default", |profile| &profile.0);
                needs.extend([
                    Requirement::Unshadowed { container, names: &[ACCESS_KEY, WEB_IDENTITY] },
                    Requirement::volume(&volume, source),
                    Requirement::mount(container, &volume, &directory),
                    Requirement::env(container, SHARED_FILE, &[&directory, "/", FILE].concat()),
                    Requirement::env(container, "AWS_PROFILE", profile),
                ]);
            }
        }
        needs.extend(region(container, self.region.as_ref()));
        needs
    }
}
