//! `awsPodIdentity`: EKS Pod Identity. The node's agent exchanges a projected token for the role that EKS associates with
//! the pod's ServiceAccount. The token is renewed in running pods.

use super::aws::{ACCESS_KEY, SHARED_FILE, WEB_IDENTITY};
use super::fields::TokenAudience;
use super::{Credential, Made, Type, credential_type};
use crate::requirement::{ProjectedSource, Requirement, VolumeSource};
use crate::settings::read::{Seconds, section};

/// The volume, and the file in it.
const VOLUME: &str = "eks-pod-identity-token";
const DIRECTORY: &str = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
/// The node's agent.
const AGENT: &str = "http://169.254.170.23/v1/credentials";
/// What SDKs take before the agent.
const SHADOWS: &[&str] = &[ACCESS_KEY, WEB_IDENTITY, SHARED_FILE, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];

pub(super) const TYPE: Type = Type {
    token: true,
    audience: Some("pods.eks.amazonaws.com"),
    made: &[Made { volume: VOLUME, files: &[VOLUME], token: true }],
    ..credential_type!("awsPodIdentity", AwsPodIdentity)
};

section! {
    /// The fields.
    pub struct AwsPodIdentity<'a> also ["type", "allow"] {
        /// How long a token is valid, in seconds.
        "expirationSeconds" expiration: Seconds<600, 86_400> = Seconds(86_400);
        /// The token's audience.
        "audience" audience: TokenAudience<'a> = TokenAudience("pods.eks.amazonaws.com".into());
    }
}

impl Credential for AwsPodIdentity<'_> {
    fn audience(&self) -> Option<&str> {
        Some(&self.audience.0)
    }

    fn require(&self, _name: &str, container: usize) -> Vec<Requirement> {
        let token = ProjectedSource::token(&self.audience.0, self.expiration.0, VOLUME);
        let file = format!("{DIRECTORY}/{VOLUME}");
        vec![
            Requirement::Unshadowed { container, names: SHADOWS },
            Requirement::volume(VOLUME, VolumeSource::Projected(vec![token])),
            Requirement::mount(container, VOLUME, DIRECTORY),
            Requirement::env(container, "AWS_CONTAINER_CREDENTIALS_FULL_URI", AGENT),
            Requirement::env(container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file),
        ]
    }
}
