//! The forms of the fields that credential types have.

use crate::names::{is_dns_subdomain, is_mount_path, is_secret_key, is_within, real_path};
use crate::settings::read::text;
use crate::settings::token_mounts::DEFAULT_TOKEN_PATH;

text! {
    /// The name of a Secret.
    SecretName, "the name of a Secret (a DNS subdomain)", is_dns_subdomain
}

text! {
    /// A key of a Secret's data.
    SecretKey, "a key of a Secret (letters, digits, `-`, `_` and `.`)", is_secret_key
}

text! {
    /// The id of a Google Cloud project.
    Project, "the id of a Google Cloud project (6 to 30 lower-case letters, digits and `-`)", is_project
}

text! {
    /// The email of a Google service account.
    GoogleEmail, "the email of a Google service account (`NAME@PROJECT.iam.gserviceaccount.com`)", is_google_email
}

text! {
    /// The resource name of a workload identity pool's provider.
    GoogleProvider,
    "a provider's resource name (`//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`)",
    is_google_provider
}

text! {
    /// The ARN of an IAM role.
    RoleArn, "the ARN of an IAM role (`arn:aws:iam::111122223333:role/NAME`)", is_role_arn
}

text! {
    /// The id of an AWS region.
    Region, "the id of an AWS region (`eu-central-1`)", |text| simple(text, 64, "-") && !text.bytes().any(|b| b.is_ascii_uppercase())
}

text! {
    /// The name of an AWS role session.
    SessionName, "an AWS role session's name (2 to 64 letters, digits and `_+=,.@-`)", |text| text.len() > 1 && simple(text, 64, "_+=,.@-")
}

text! {
    /// The name of a profile in an AWS credentials file.
    Profile, "the name of a profile in an AWS credentials file (letters, digits and `_.-`)", |text| simple(text, 64, "_.-")
}

text! {
    /// A GUID, as Azure writes ids.
    Guid, "a GUID (`00000000-0000-0000-0000-000000000000`)", is_guid
}

text! {
    /// The address of an HTTPS service.
    HttpsUrl, "an https:// address", |text| is_url(text, "https://")
}

text! {
    /// The address of an HTTP or HTTPS service.
    Url, "an http:// or https:// address", |text| is_url(text, "https://") || is_url(text, "http://")
}

text! {
    /// An Airflow connection id.
    ConnectionId, "a connection id (at most 250 ASCII letters, digits and `_#!()-.:/\\`)", |text| simple(text, 250, "_#!()-.:/\\")
}

text! {
    /// The name of a role of Vault's.
    VaultRole, "the name of a Vault role (letters, digits and `_.-`)", |text| simple(text, 128, "_.-")
}

text! {
    /// The audience of a token.
    TokenAudience, "a token's audience (not empty, no white space)", |text| !text.is_empty() && !text.contains(char::is_whitespace)
}

text! {
    /// The name of an env variable.
    EnvName, "the name of an env variable (letters, digits and `_.-`, no digit first)", |text| {
        simple(text, 253, "_.-") && !text.starts_with(|first: char| first.is_ascii_digit() || first == '.')
    }
}

text! {
    /// A path to mount at, or of a file, that no injector takes for the ServiceAccount's.
    FilePath, "a clean absolute path without `:`, without the text `serviceaccount`, which Vault's injector looks for, and not above the API server's own mount", |text| {
        is_mount_path(text) && !text.contains("serviceaccount") && !holds_token(text)
    }
}

text! {
    /// A file's path in a volume.
    RelativePath, "a relative path without empty, `.` and `..` steps", is_relative
}

/// Whether a path lies above the place of the API server's token.
pub fn holds_token(path: &str) -> bool {
    is_within(DEFAULT_TOKEN_PATH, &real_path(path))
}

/// A relative path that is clean.
pub fn is_relative(text: &str) -> bool {
    text.len() <= 4096
        && !text.contains(':')
        && text.split('/').all(|step| !matches!(step, "" | "."))
        && !text.starts_with("..")
        && !text.contains("/..")
}

/// At most `most` ASCII letters, digits and characters of `others`, and at least one.
fn simple(text: &str, most: usize, others: &str) -> bool {
    (1..=most).contains(&text.len()) && text.chars().all(|char| char.is_ascii_alphanumeric() || others.contains(char))
}

/// Old projects carry their domain in front: `example.com:project`.
fn is_project(text: &str) -> bool {
    let (domain, id) = text.split_once(':').unwrap_or(("a", text));
    let letters = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    is_dns_subdomain(domain)
        && (6..=30).contains(&id.len())
        && id.bytes().all(letters)
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
}

/// The email of a Google service account.
pub fn is_google_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, domain)| {
        let project = domain.strip_suffix(".gserviceaccount.com");
        simple(name, 64, "-.") && project.is_some_and(|project| simple(project, 190, "-."))
    })
}

fn is_google_provider(text: &str) -> bool {
    let rest = text.strip_prefix("https:").unwrap_or(text);
    let Some(rest) = rest.strip_prefix("//iam.googleapis.com/projects/") else { return false };
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        [project, "locations", location, "workloadIdentityPools", pool, "providers", provider] => {
            project.bytes().all(|byte| byte.is_ascii_digit())
                && [project, location, pool, provider].iter().all(|part| simple(part, 64, "-"))
        }
        _ => false,
    }
}

/// The ARN of an IAM role.
pub fn is_role_arn(text: &str) -> bool {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", account, role] => {
            (*partition == "aws" || partition.starts_with("aws-"))
                && simple(partition, 32, "-")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| simple(name, 576, "_+=,.@-/") && !name.ends_with('/'))
        }
        _ => false,
    }
}

/// A GUID.
pub fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn is_url(text: &str, scheme: &str) -> bool {
    text.strip_prefix(scheme).is_some_and(|rest| {
        let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
        // `user:password@host` would carry a secret into the pod.
        // The kubelet would expand `$(…)` with what the pod sets.
        simple(host, 253, "-.:[]")
            && !text.contains('$')
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.contains('@')
    })
}
