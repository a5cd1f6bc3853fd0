//! `gkeWorkloadIdentity`: GKE's own. The node's metadata server hands out tokens for the service account that the pod's
//! ServiceAccount is annotated with; nothing is added to the pod. What is checked: that the annotation is there, and
//! that no file shadows the metadata server.

use super::fields::GoogleEmail;
use super::google::FILES;
use super::{Credential, Type, credential_type};
use crate::requirement::Requirement;
use crate::settings::problems::{At, Problems};
use crate::settings::read::section;

pub(super) const TYPE: Type = Type { google: true, ..credential_type!("gkeWorkloadIdentity", GkeWorkloadIdentity) };

section! {
    /// The fields.
    pub struct GkeWorkloadIdentity<'a> also ["type", "allow"] {
        /// The service account that the pod's ServiceAccount must be annotated with.
        "serviceAccountEmail" email: Option<GoogleEmail<'a>> = None;
    }
    check check;
}

fn check(fields: &GkeWorkloadIdentity<'_>, at: At<'_>, problems: &mut Problems) {
    problems.require(fields.email.is_some(), at.key("serviceAccountEmail"), "");
}

impl Credential for GkeWorkloadIdentity<'_> {
    fn gke_email(&self) -> Option<&str> {
        self.email.as_ref().map(AsRef::as_ref)
    }

    fn require(&self, _name: &str, container: usize) -> Vec<Requirement> {
        vec![Requirement::Unshadowed { container, names: FILES }]
    }
}
