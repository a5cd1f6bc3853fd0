//! `gcpWorkloadIdentity`: Google's workload identity federation, without a key. A projected token is exchanged at
//! Google's token service, as the `external_account` JSON beside it says.
//!
//! The JSON is no secret and belongs to no Secret or ConfigMap of the namespace: the policy writes it into an annotation
//! of the pod, which the downward API turns into the file. The token is renewed in running pods.

use super::fields::{GoogleEmail, GoogleProvider, Project, TokenAudience};
use super::google::{DIRECTORY, FILE, PREFIX, env};
use super::{Credential, Made, TOKEN_FILE, Type, credential_type};
use crate::annotation;
use crate::json::ObjectWriter;
use crate::names::{directory_of, label_of};
use crate::requirement::{ProjectedSource, Requirement, VolumeSource};
use crate::settings::problems::{At, Problems};
use crate::settings::read::{Seconds, section};

pub(super) const TYPE: Type = Type {
    google: true,
    token: true,
    made: &[Made { volume: PREFIX, files: &[TOKEN_FILE, FILE], token: true }],
    ..credential_type!("gcpWorkloadIdentity", GcpWorkloadIdentity)
};

section! {
    /// The fields.
    pub struct GcpWorkloadIdentity<'a> also ["type", "allow"] {
        /// The provider of the workload identity pool that the token is exchanged at.
        "audience" audience: Option<GoogleProvider<'a>> = None;
        /// The service account to act as; absent: the federated identity itself.
        "serviceAccountEmail" email: Option<GoogleEmail<'a>> = None;
        /// The token's audience; absent: the provider.
        "tokenAudience" token_audience: Option<TokenAudience<'a>> = None;
        /// How long a token is valid, in seconds.
        "expirationSeconds" expiration: Seconds<600, 86_400> = Seconds(3600);
        /// The project that libraries work in.
        "project" project: Option<Project<'a>> = None;
    }
    check check;
}

fn check(fields: &GcpWorkloadIdentity<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(fields.audience.is_some(), at.key("audience"), ": the provider that the token is exchanged at");
}

/// The `external_account` JSON that Google's libraries read: the audience of the exchange, whom to act as, and the
/// token's file.
#[must_use]
pub fn external_account(audience: &str, email: Option<&str>, token_file: &str) -> String {
    let format = ObjectWriter::default().text("type", "text").finish();
    let source = ObjectWriter::default().text("file", token_file).raw("format", &format).finish();
    let mut account = ObjectWriter::default()
        .text("type", "external_account")
        .text("audience", audience)
        .text("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")
        .text("token_url", "https://sts.googleapis.com/v1/token");
    if let Some(email) = email {
        let url =
            format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken");
        account = account.text("service_account_impersonation_url", &url);
    }
    account.raw("credential_source", &source).finish()
}

impl Credential for GcpWorkloadIdentity<'_> {
    fn audience(&self) -> Option<&str> {
        let given = self.token_audience.as_ref().map(AsRef::as_ref);
        given.or(self.audience.as_ref().map(AsRef::as_ref))
    }

    fn require(&self, name: &str, container: usize) -> Vec<Requirement> {
        let volume = label_of(PREFIX, name);
        let directory = [DIRECTORY, &directory_of(name)].concat();
        let key = format!("{}{volume}", annotation::FAMILY);
        let provider = self.audience.as_ref().map_or("", |audience| &audience.0);
        // The token service wants the name without a scheme.
        let provider = provider.strip_prefix("https:").unwrap_or(provider);
        let email = self.email.as_ref().map(AsRef::as_ref);
        let json = external_account(provider, email, &format!("{directory}/{TOKEN_FILE}"));
        let source = VolumeSource::Projected(vec![
            ProjectedSource::token(self.audience().unwrap_or_default(), self.expiration.0, TOKEN_FILE),
            ProjectedSource::Annotation { key: key.clone(), path: FILE.to_owned() },
        ]);
        let mut needs = vec![
            Requirement::Annotation { key, value: json },
            Requirement::volume(&volume, source),
            Requirement::mount(container, &volume, &directory),
        ];
        env(container, &directory, self.project.as_ref(), &mut needs);
        needs
    }
}
