//! `vaultToken`: a projected token that Vault's Kubernetes or JWT auth method takes for a login, and nobody else. The token
//! is renewed in running pods.

use super::fields::{TokenAudience, Url, VaultRole};
use super::{Credential, Made, TOKEN_FILE, Type, credential_type};
use crate::names::{directory_of, label_of};
use crate::requirement::{ProjectedSource, Requirement, VolumeSource};
use crate::settings::read::{Seconds, section};

const PREFIX: &str = "vault-";
const DIRECTORY: &str = "/var/run/secrets/vault/";

pub(super) const TYPE: Type = Type {
    token: true,
    audience: Some("vault"),
    made: &[Made { volume: PREFIX, files: &[TOKEN_FILE], token: true }],
    ..credential_type!("vaultToken", VaultToken)
};

section! {
    /// The fields.
    pub struct VaultToken<'a> also ["type", "allow"] {
        /// The token's audience.
        "audience" audience: TokenAudience<'a> = TokenAudience("vault".into());
        /// The role to log in as, for `VAULT_ROLE`.
        "role" role: Option<VaultRole<'a>> = None;
        /// Vault's address, for `VAULT_ADDR`.
        "address" address: Option<Url<'a>> = None;
        /// How long a token is valid, in seconds.
        "expirationSeconds" expiration: Seconds<600, 86_400> = Seconds(3600);
    }
}

impl Credential for VaultToken<'_> {
    fn audience(&self) -> Option<&str> {
        Some(&self.audience.0)
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let volume = label_of(PREFIX, name);
        let directory = [DIRECTORY, &directory_of(name)].concat();
        let token = ProjectedSource::token(&self.audience.0, self.expiration.0, TOKEN_FILE);
        let mut needs = vec![
            Requirement::volume(&volume, VolumeSource::Projected(vec![token])),
            Requirement::mount(container, &volume, &directory),
        ];
        let address = self.address.as_ref();
        needs.extend(address.map(|address| Requirement::env(container, "VAULT_ADDR", &address.0)));
        needs.extend(self.role.as_ref().map(|role| Requirement::env(container, "VAULT_ROLE", &role.0)));
        needs
    }
}
