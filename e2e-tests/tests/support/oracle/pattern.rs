//! Patterns and paths.

/// Whether a text is like a pattern: `*` is any run of characters, `?` is one.
pub fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match (rest.next(), text.chars().next()) {
        (None, first) => first.is_none(),
        (Some('*'), None) => like(rest.as_str(), text),
        (Some('*'), Some(first)) => like(rest.as_str(), text) || like(pattern, &text[first.len_utf8()..]),
        (Some('?'), Some(first)) => like(rest.as_str(), &text[first.len_utf8()..]),
        (Some(wanted), Some(first)) => wanted == first && like(rest.as_str(), &text[first.len_utf8()..]),
        (Some(_), None) => false,
    }
}

/// Whether one of the patterns fits.
pub fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| like(pattern, text))
}

/// Whether one of the patterns, `namespace/name`, fits a ServiceAccount.
pub fn any_account(patterns: &[String], namespace: &str, name: &str) -> bool {
    patterns.iter().any(|pattern| {
        let (left, right) = pattern.split_once('/').unwrap_or_default();
        like(left, namespace) && like(right, name)
    })
}

/// A path without `..`, `.` and empty steps.
pub fn steps(path: &str) -> Vec<&str> {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps
}

/// A container's path as the kernel would walk it: with `/run` under its older name.
pub fn clean(path: &str) -> Vec<&str> {
    let mut steps = steps(path);
    if steps.first() == Some(&"run") {
        steps.insert(0, "var");
    }
    steps
}

/// Whether a path is a directory or lies in it.
pub fn is_within(path: &str, directory: &str) -> bool {
    clean(path).starts_with(&clean(directory))
}
