use std::borrow::Cow;
use std::fmt;

/// A place in the settings document.
#[derive(Debug, Clone, Copy)]
pub struct At<'p> {
    parent: Option<&'p At<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl<'p> At<'p> {
    /// The document itself.
    pub const ROOT: At<'static> = At { parent: None, step: Step::Root };

    /// The place of a key here.
    #[must_use]
    pub fn key(&'p self, key: &'p str) -> At<'p> {
        At { parent: Some(self), step: Step::Key(key) }
    }

    /// The place of a list's element here.
    #[must_use]
    pub fn index(&'p self, index: usize) -> At<'p> {
        At { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            let nested = !matches!(parent.step, Step::Root);
            match self.step {
                Step::Key(key) if nested => write!(f, ".{key}")?,
                Step::Key(key) => f.write_str(key)?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Root => {}
            }
        }
        Ok(())
    }
}

/// Everything that is wrong with a settings document, in the order of reading.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
}

#[derive(Debug)]
struct Problem {
    place: String,
    what: Cow<'static, str>,
}

/// The problems of an entry, at most, that are looked through for one with a key of it.
const NEAR: usize = 64;

impl Problems {
    /// Notes a problem at a place.
    pub fn add(&mut self, at: At<'_>, what: impl Into<Cow<'static, str>>) {
        self.note(at, what.into());
    }

    #[cold]
    #[inline(never)]
    fn note(&mut self, at: At<'_>, what: Cow<'static, str>) {
        self.list.push(Problem { place: at.to_string(), what });
    }

    /// Notes that a key is missing, unless what stands there was found wrong already.
    pub fn require(&mut self, given: bool, at: At<'_>, why: &str) {
        let place = at.to_string();
        let told = |problem: &Problem| {
            problem.place.strip_prefix(&place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        // What stands there was read just now: its problems are the last ones.
        if !given && !self.list.iter().rev().take(NEAR).any(told) {
            self.add(at, format!("is required{why}"));
        }
    }

    /// Notes a key that is none.
    pub fn unknown(&mut self, at: At<'_>, key: &str, known: &[&str]) {
        let hint = match nearest(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", list(known)),
        };
        self.add(at.key(key), format!("is no setting: {hint}"));
    }

    /// Notes a word that is none of the set.
    pub fn choice(&mut self, at: At<'_>, found: Option<&str>, known: &[&str]) {
        let hint = match found.and_then(|found| nearest(found, known)) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        self.add(at, format!("must be one of {}{hint}", list(known)));
    }

    /// The problems.
    #[must_use]
    pub fn into_vec(self) -> Vec<String> {
        let tell = |Problem { place, what }| {
            if place.is_empty() { format!("the settings {what}") } else { format!("`{place}` {what}") }
        };
        self.list.into_iter().map(tell).collect()
    }
}

/// Names for a message: "`a`, `b`".
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The name that `text` was probably meant to be: at most a third of it mistyped, letter case aside.
pub(crate) fn nearest<'k>(text: &str, known: &[&'k str]) -> Option<&'k str> {
    if text.len() > 64 {
        return None;
    }
    let text = text.to_ascii_lowercase();
    known
        .iter()
        .map(|name| (distance(&text, &name.to_ascii_lowercase()), *name))
        .filter(|(distance, name)| *distance <= name.len().max(text.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The Levenshtein distance.
fn distance(one: &str, other: &str) -> usize {
    // The matrix' line, but for its first column.
    let mut row: Vec<usize> = (1..=other.chars().count()).collect();
    for (line, a) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (cell, b) in row.iter_mut().zip(other.chars()) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = changed.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}
