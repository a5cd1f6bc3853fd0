//! Asking the module, and reading what it tells.

use e2e_tests::cluster::NoCluster;
use e2e_tests::testing::policy;
use e2e_tests::verdict::Verdict;
use serde_json::Value;

/// A finding, as a message tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// Rule and id.
    pub id: String,
    /// The field's path.
    pub path: String,
    /// The container, if one is concerned.
    pub container: Option<String>,
}

/// The answer in a mode.
#[track_caller]
pub fn answer(request: &Value, settings: &Value, mode: &str) -> Verdict {
    let mut settings = settings.clone();
    settings["mode"] = mode.into();
    match policy().validate(request, &settings, &NoCluster) {
        Ok(verdict) => verdict,
        Err(error) => panic!("{error}\nfor {request}\nunder {settings}"),
    }
}

/// The findings that a denial tells, in its order; none when the object passes.
#[track_caller]
pub fn told(verdict: &Verdict) -> Vec<Told> {
    let Some(message) = &verdict.message else { return Vec::new() };
    let lines: Vec<&str> = message.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    let lines = if lines.is_empty() { message.lines().take(1).collect() } else { lines };
    lines.into_iter().map(read).collect()
}

#[track_caller]
fn read(line: &str) -> Told {
    let (id, place) = match line.split_once(": ").and_then(|(id, rest)| Some((id, rest.split_once(": ")?.0))) {
        Some((id, place)) if id.contains('/') => (id, place),
        _ => panic!("this tells no finding: {line}"),
    };
    let (path, container) = match place.split_once(" (") {
        Some((path, container)) => (path, container.split('`').nth(1).map(str::to_owned)),
        None => (place, None),
    };
    Told { id: id.to_owned(), path: path.to_owned(), container }
}
