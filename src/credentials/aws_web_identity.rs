//! `awsWebIdentity`: an IAM role for a projected token (IRSA), with the names that the EKS pod identity webhook uses: where
//! both run, the one that comes second finds its work done. The token is renewed in running pods.

use super::aws::{ACCESS_KEY, ROLE, WEB_IDENTITY, region};
use super::fields::{Region, RoleArn, SessionName, TokenAudience};
use super::{Credential, Made, TOKEN_FILE, Type, credential_type};
use crate::requirement::{ProjectedSource, Requirement, VolumeSource};
use crate::settings::problems::{At, Problems};
use crate::settings::read::{Seconds, section};

const VOLUME: &str = "aws-iam-token";
const DIRECTORY: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";

pub(super) const TYPE: Type = Type {
    token: true,
    audience: Some("sts.amazonaws.com"),
    made: &[Made { volume: VOLUME, files: &[TOKEN_FILE], token: true }],
    ..credential_type!("awsWebIdentity", AwsWebIdentity)
};

section! {
    /// The fields.
    pub struct AwsWebIdentity<'a> also ["type", "allow"] {
        /// The role.
        "roleArn" role: Option<RoleArn<'a>> = None;
        /// The token's audience.
        "audience" audience: TokenAudience<'a> = TokenAudience("sts.amazonaws.com".into());
        /// How long a token is valid, in seconds.
        "expirationSeconds" expiration: Seconds<600, 86_400> = Seconds(86_400);
        /// The region.
        "region" region: Option<Region<'a>> = None;
        /// What CloudTrail calls the session.
        "sessionName" session_name: Option<SessionName<'a>> = None;
        /// Whether the region's own token service is asked.
        "regionalSts" regional_sts: bool = true;
    }
    check check;
}

fn check(fields: &AwsWebIdentity<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(fields.role.is_some(), at.key("roleArn"), "");
}

impl Credential for AwsWebIdentity<'_> {
    fn audience(&self) -> Option<&str> {
        Some(&self.audience.0)
    }

    fn require(&self, _name: &str, container: usize) -> Vec<Requirement> {
        let token = ProjectedSource::token(&self.audience.0, self.expiration.0, TOKEN_FILE);
        let role = self.role.as_ref().map_or("", |role| &role.0);
        let mut needs = vec![
            Requirement::Whole { container, names: &[ROLE, WEB_IDENTITY] },
            Requirement::Unshadowed { container, names: &[ACCESS_KEY] },
            Requirement::volume(VOLUME, VolumeSource::Projected(vec![token])),
            Requirement::mount(container, VOLUME, DIRECTORY),
        ];
        // The order in which EKS writes them.
        if self.regional_sts {
            needs.push(Requirement::env(container, "AWS_STS_REGIONAL_ENDPOINTS", "regional"));
        }
        needs.extend(region(container, self.region.as_ref()));
        needs.push(Requirement::env(container, ROLE, role));
        needs.push(Requirement::env(container, WEB_IDENTITY, &format!("{DIRECTORY}/{TOKEN_FILE}")));
        let session = self.session_name.as_ref();
        needs.extend(session.map(|name| Requirement::env(container, "AWS_ROLE_SESSION_NAME", &name.0)));
        needs
    }
}
