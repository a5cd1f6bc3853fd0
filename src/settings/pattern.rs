//! Patterns of names, with `*` and `?`.

use super::read::text;

/// Whether `pattern` matches the whole of `text`: `*` stands for any run of characters, `?` for one.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    // Most patterns are told apart from a text, or end, before their first `*`.
    let plain = |(one, other): &(u8, u8)| one == other && !matches!(one, b'*' | b'?');
    let same = pattern.bytes().zip(text.bytes()).take_while(plain).count();
    let (Some(pattern), Some(text)) = (pattern.get(same..), text.get(same..)) else { return whole(pattern, text) };
    match pattern.as_bytes().first() {
        None => text.is_empty(),
        Some(b'*' | b'?') => whole(pattern, text),
        // Another letter, or none.
        Some(_) => false,
    }
}

/// [`matches`], character by character.
fn whole(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut after = pattern.clone();
        match after.next() {
            Some('*') => {
                pattern = after;
                retry = Some((pattern.clone(), text.clone()));
                continue;
            }
            Some(wanted) => {
                if let Some(found) = text.next() {
                    if wanted == '?' || wanted == found {
                        pattern = after;
                        continue;
                    }
                } else {
                    return false;
                }
            }
            None if text.as_str().is_empty() => return true,
            None => {}
        }
        // A mismatch: let the last `*` take one character more.
        let Some((from, mut rest)) = retry else { return false };
        if rest.next().is_none() {
            return false;
        }
        retry = Some((from.clone(), rest.clone()));
        (pattern, text) = (from, rest);
    }
}

/// Whether one of the patterns matches.
#[must_use]
pub fn any<'a, P: AsRef<str> + 'a>(patterns: impl IntoIterator<Item = &'a P>, text: &str) -> bool {
    patterns.into_iter().any(|pattern| matches(pattern.as_ref(), text))
}

/// A pattern that excludes something: it holds a character besides `*` and `?`.
#[must_use]
pub fn restricts(pattern: &str) -> bool {
    pattern.chars().any(|char| char != '*' && char != '?')
}

text! {
    /// A pattern of ServiceAccounts, `namespace/name`; each side is matched on its own.
    AccountPattern, "a pattern of ServiceAccounts, `namespace/name`", |text| {
        text.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains('/'))
    }
}

impl AccountPattern<'_> {
    /// Whether it matches the ServiceAccount `name` of `namespace`.
    #[must_use]
    pub fn matches(&self, namespace: &str, name: &str) -> bool {
        matches_account(&self.0, namespace, name)
    }
}

/// Whether the pattern `namespace/name` matches a ServiceAccount.
#[must_use]
pub fn matches_account(pattern: &str, namespace: &str, name: &str) -> bool {
    pattern.split_once('/').is_some_and(|(namespaces, names)| matches(namespaces, namespace) && matches(names, name))
}

/// Namespace and name of the ServiceAccount that a username stands for.
#[must_use]
pub fn service_account(username: &str) -> Option<(&str, &str)> {
    username.strip_prefix("system:serviceaccount:")?.split_once(':')
}
