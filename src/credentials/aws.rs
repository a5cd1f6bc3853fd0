//! What AWS' credentials have in common.

use super::fields::Region;
use crate::requirement::Requirement;

/// The credential in the environment, which every SDK takes before anything else.
pub const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";
/// The role that a token is exchanged for.
pub const ROLE: &str = "AWS_ROLE_ARN";
/// The token that is exchanged for a role, which SDKs take before files and container credentials.
pub const WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// A file of credentials, which SDKs take before container credentials.
pub const SHARED_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";

/// The region, under both names that SDKs know; a region of the user's own wins.
pub fn region(container: usize, region: Option<&Region<'_>>) -> Option<Requirement> {
    let names = &["AWS_DEFAULT_REGION", "AWS_REGION"];
    region.map(|region| Requirement::EnvDefault { container, names, value: region.0.clone().into_owned() })
}
