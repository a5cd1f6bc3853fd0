//! What Google's credentials have in common: one directory, one file, the same env.

use super::fields::Project;
use crate::requirement::Requirement;

/// Where the directory of every Google credential stands.
pub const DIRECTORY: &str = "/var/run/secrets/gcp/";
/// What the file is called that Google's libraries read, whatever a Secret calls it.
pub const FILE: &str = "key.json";
/// What the volume's name begins with.
pub const PREFIX: &str = "gcp-";
/// What Google's libraries, and its command line tools, take before anything else.
pub const FILES: &[&str] = &["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"];

/// Points the libraries and the command line tools at the file in `directory`.
pub fn env(container: usize, directory: &str, project: Option<&Project<'_>>, needs: &mut Vec<Requirement>) {
    let file = [directory, "/", FILE].concat();
    needs.extend(FILES.iter().map(|name| Requirement::env(container, name, &file)));
    if let Some(project) = project {
        needs.push(Requirement::env(container, "GOOGLE_CLOUD_PROJECT", &project.0));
    }
}
