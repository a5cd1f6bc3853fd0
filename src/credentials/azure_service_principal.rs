//! `azureServicePrincipal`: an Entra application with a client secret or a certificate, from a Secret.
//!
//! The client secret is env, which does not change in a running pod; the certificate is a file, which does.

use super::fields::{Guid, SecretKey, SecretName};
use super::{Credential, Made, SecretPart, Type, credential_type};
use crate::names::{directory_of, label_of};
use crate::requirement::{Requirement, VolumeSource};
use crate::settings::problems::{At, Problems};
use crate::settings::read::section;

const PREFIX: &str = "azure-";
const DIRECTORY: &str = "/var/run/secrets/azure/";
/// What the certificate's file is called, whatever the Secret calls it.
const FILE: &str = "certificate";

pub(super) const TYPE: Type = Type {
    made: &[Made { volume: PREFIX, files: &[FILE], token: false }],
    ..credential_type!("azureServicePrincipal", AzureServicePrincipal)
};

section! {
    /// The fields.
    pub struct AzureServicePrincipal<'a> also ["type", "allow"] {
        /// The application's client id.
        "clientId" client: Option<Guid<'a>> = None;
        /// The directory.
        "tenantId" tenant: Option<Guid<'a>> = None;
        /// The Secret; absent: named like the credential.
        "secretName" secret_name: Option<SecretName<'a>> = None;
        /// The key of the Secret that holds the client secret; `client-secret` when absent.
        "key" key: Option<SecretKey<'a>> = None;
        /// The key of the Secret that holds a certificate with its private key, instead of a client secret.
        "certificateKey" certificate: Option<SecretKey<'a>> = None;
    }
    check check;
}

fn check(fields: &AzureServicePrincipal<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(fields.client.is_some(), at.key("clientId"), "");
    problems.require(fields.tenant.is_some(), at.key("tenantId"), "");
    if fields.key.is_some() && fields.certificate.is_some() {
        problems.add(at.key("certificateKey"), "and `key` are both given: it is a certificate or a client secret");
    }
}

impl AzureServicePrincipal<'_> {
    fn secret_key(&self) -> &str {
        self.key.as_ref().map_or("client-secret", |key| &key.0)
    }
}

impl Credential for AzureServicePrincipal<'_> {
    fn secret<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        Some(self.secret_name.as_ref().map_or(name, |secret| &secret.0))
    }

    fn secret_parts(&self) -> Vec<SecretPart<'_>> {
        vec![match &self.certificate {
            Some(key) => SecretPart::File(&key.0),
            None => SecretPart::Text(self.secret_key()),
        }]
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let secret = self.secret(name).unwrap_or(name);
        let id = |guid: &Option<Guid<'_>>| guid.as_ref().map_or_else(String::new, |guid| guid.0.clone().into_owned());
        let mut needs = Vec::new();
        match &self.certificate {
            None => needs.push(Requirement::env_of_secret(container, "AZURE_CLIENT_SECRET", secret, self.secret_key())),
            Some(key) => {
                let volume = label_of(PREFIX, name);
                let directory = [DIRECTORY, &directory_of(name)].concat();
                let items = vec![(key.0.clone().into_owned(), FILE.to_owned())];
                let source = VolumeSource::Secret { secret: secret.to_owned(), items };
                needs.extend([
                    Requirement::Unshadowed { container, names: &["AZURE_CLIENT_SECRET"] },
                    Requirement::volume(&volume, source),
                    Requirement::mount(container, &volume, &directory),
                    Requirement::env(container, "AZURE_CLIENT_CERTIFICATE_PATH", &[&directory, "/", FILE].concat()),
                ]);
            }
        }
        needs.push(Requirement::env(container, "AZURE_CLIENT_ID", &id(&self.client)));
        needs.push(Requirement::env(container, "AZURE_TENANT_ID", &id(&self.tenant)));
        needs
    }
}
