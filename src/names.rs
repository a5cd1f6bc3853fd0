//! The forms that Kubernetes gives to names, and what of a user's text may be shown.

use std::borrow::Cow;

/// A DNS label: lower-case letters, digits and `-`, at most 63, no `-` at either end.
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A DNS subdomain: labels of any length joined by dots, at most 253 characters.
#[must_use]
pub fn is_dns_subdomain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A key of a Secret: letters, digits, `-`, `_` and `.`, at most 253, neither `.` nor beginning with `..`.
#[must_use]
pub fn is_secret_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && text != "."
        && !text.starts_with("..")
}

/// A clean absolute path that can be a `mountPath`.
#[must_use]
pub fn is_mount_path(text: &str) -> bool {
    text.len() > 1 && text.len() <= 4096 && text.starts_with('/') && !text.contains(':') && clean_path(text) == text
}

/// The path without empty, `.` and `..` steps, beginning with `/`.
#[must_use]
pub fn clean_path(path: &str) -> Cow<'_, str> {
    if is_clean(path) {
        return Cow::Borrowed(path);
    }
    let mut clean = String::with_capacity(path.len() + 1);
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => clean.truncate(clean.rfind('/').unwrap_or(0)),
            _ => {
                clean.push('/');
                clean.push_str(step);
            }
        }
    }
    if clean.is_empty() {
        clean.push('/');
    }
    Cow::Owned(clean)
}

/// Whether there is surely nothing to clean: no step is empty or begins with a dot.
fn is_clean(path: &str) -> bool {
    path.starts_with('/')
        && !path.ends_with('/')
        && !path.as_bytes().windows(2).any(|two| matches!(two, [b'/', b'/' | b'.']))
}

/// Whether a clean path is `outer`, or lies below it.
#[must_use]
pub fn is_within(path: &str, outer: &str) -> bool {
    outer == "/" || path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The clean path, through the link that `/run` is of `/var/run` in nearly every image, or the other way round.
#[must_use]
pub fn real_path(path: &str) -> Cow<'_, str> {
    let path = clean_path(path);
    match path.strip_prefix("/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Cow::Owned(["/var/run", rest].concat()),
        _ => path,
    }
}

/// A user's text for a message: names, paths and audiences as they are, anything that can be none of these is left out.
#[must_use]
pub fn shown(text: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'`';
    if !text.is_empty() && text.len() <= 253 && text.bytes().all(plain) { text } else { NOT_SHOWN }
}

/// A credential's name for a message. What can be none (it might be a pasted key) is left out.
#[must_use]
pub fn shown_label(text: &str) -> &str {
    if is_dns_label(text) { text } else { NOT_SHOWN }
}

/// What stands for a text that is left out.
pub const NOT_SHOWN: &str = "(not shown)";

/// A DNS label of at most 63 characters made of a prefix and a name. A name that fits stays readable; one that is too
/// long, has dots or says `serviceaccount` (Vault's injector looks for that in mount paths) is shortened and gets a hash.
#[must_use]
pub fn label_of(prefix: &str, name: &str) -> String {
    let room = 63 - prefix.len();
    if name.len() <= room && !name.contains('.') && !name.contains("serviceaccount") {
        return [prefix, name].concat();
    }
    let readable: String =
        name.replace('.', "-").replace("serviceaccount", "sa").chars().take(room.saturating_sub(17)).collect();
    format!("{prefix}{}-{:016x}", readable.trim_end_matches('-'), hash(name))
}

/// FNV-1a, 64 bits: the same name gives the same label, today and after an upgrade.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A step of a mount path called like a credential: the name, unless Vault's injector would take the path for the
/// ServiceAccount token's.
#[must_use]
pub fn directory_of(name: &str) -> String {
    if name.contains("serviceaccount") { label_of("", name) } else { name.to_owned() }
}
