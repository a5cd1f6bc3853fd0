//! Tokens of Kubernetes ServiceAccounts, written out where everybody who may read pods can read them.

use crate::json::{Kind, Raw, Reader, Result, Text};

/// How every JWT begins: the base64 of `{"`.
const START: &str = "eyJ";
/// The least that a token with a signature takes.
const SHORTEST: usize = 64;
/// How many that begin like a token are looked into: a text of nothing else must not take forever.
const MOST: usize = 64;

/// Whether a JSON string holds a token of a Kubernetes ServiceAccount. Tokens of other issuers, such as those that
/// Airflow hands to its tasks, are none.
#[must_use]
pub fn token_in(raw: &Raw<'_>) -> bool {
    if raw.text.len() < SHORTEST || !raw.text.contains(START) {
        return false;
    }
    let text = raw.reader().string("").ok().flatten().unwrap_or_default();
    let starts = text.match_indices(START).take(MOST);
    starts.filter_map(|(at, _)| text.get(at..)).any(is_token)
}

/// Whether a text begins with a token: the payload is what says whose it is.
fn is_token(text: &str) -> bool {
    let part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    let end = text.find(|char| !part(char) && char != '.').unwrap_or(text.len());
    let mut parts = text.get(..end).unwrap_or_default().split('.');
    let payload = parts.nth(1).and_then(decode).and_then(|bytes| String::from_utf8(bytes).ok());
    payload.is_some_and(|payload| is_service_account(&payload).unwrap_or(false))
}

/// Whether the claims are a ServiceAccount's: `kubernetes.io`, the older `kubernetes.io/…`, or the subject.
fn is_service_account(claims: &str) -> Result<bool> {
    let mut reader = Reader::new(claims);
    let mut fields = reader.object("claims")?;
    while let Some(key) = reader.key(&mut fields)? {
        if key == "kubernetes.io" || key.starts_with("kubernetes.io/serviceaccount/") {
            return Ok(true);
        }
        let subject = match reader.kind()? {
            Kind::String if key == "sub" => reader.string("sub")?,
            _ => reader.skip().map(|_| None::<Text<'_>>)?,
        };
        if subject.is_some_and(|subject| subject.starts_with("system:serviceaccount:")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Decodes base64url without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}
