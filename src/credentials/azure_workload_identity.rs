//! `azureWorkloadIdentity`: an Entra application or managed identity for a projected token, with the names that Azure's
//! own webhook uses. The token is renewed in running pods.

use super::fields::{Guid, HttpsUrl};
use super::{Credential, Made, Type, credential_type};
use crate::requirement::{ProjectedSource, Requirement, VolumeSource};
use crate::settings::problems::{At, Problems};
use crate::settings::read::{Seconds, section};

/// The volume, and the file in it.
const VOLUME: &str = "azure-identity-token";
const DIRECTORY: &str = "/var/run/secrets/azure/tokens";
const AUDIENCE: &str = "api://AzureADTokenExchange";
/// What the default chain takes before the token, given a client's id.
const SHADOWS: &[&str] = &["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_PASSWORD"];

pub(super) const TYPE: Type = Type {
    token: true,
    audience: Some(AUDIENCE),
    made: &[Made { volume: VOLUME, files: &[VOLUME], token: true }],
    ..credential_type!("azureWorkloadIdentity", AzureWorkloadIdentity)
};

section! {
    /// The fields.
    pub struct AzureWorkloadIdentity<'a> also ["type", "allow"] {
        /// The application's or managed identity's client id.
        "clientId" client: Option<Guid<'a>> = None;
        /// The directory.
        "tenantId" tenant: Option<Guid<'a>> = None;
        /// Where tokens are exchanged.
        "authorityHost" authority: HttpsUrl<'a> = HttpsUrl("https://login.microsoftonline.com/".into());
        /// How long a token is valid, in seconds.
        "expirationSeconds" expiration: Seconds<3600, 86_400> = Seconds(3600);
    }
    check check;
}

fn check(fields: &AzureWorkloadIdentity<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(fields.client.is_some(), at.key("clientId"), "");
    problems.require(fields.tenant.is_some(), at.key("tenantId"), "");
}

impl Credential for AzureWorkloadIdentity<'_> {
    fn audience(&self) -> Option<&str> {
        Some(AUDIENCE)
    }

    fn require(&self, _name: &str, container: usize) -> Vec<Requirement> {
        let token = ProjectedSource::token(AUDIENCE, self.expiration.0, VOLUME);
        let id = |guid: &Option<Guid<'_>>| guid.as_ref().map_or_else(String::new, |guid| guid.0.clone().into_owned());
        vec![
            Requirement::Unshadowed { container, names: SHADOWS },
            Requirement::volume(VOLUME, VolumeSource::Projected(vec![token])),
            Requirement::mount(container, VOLUME, DIRECTORY),
            Requirement::env(container, "AZURE_CLIENT_ID", &id(&self.client)),
            Requirement::env(container, "AZURE_TENANT_ID", &id(&self.tenant)),
            Requirement::env(container, "AZURE_FEDERATED_TOKEN_FILE", &format!("{DIRECTORY}/{VOLUME}")),
            Requirement::env(container, "AZURE_AUTHORITY_HOST", &self.authority.0),
        ]
    }
}
