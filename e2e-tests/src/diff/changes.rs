//! The difference between two JSON values, field by field.
//!
//! Lists are aligned so that the fewest values change: an element taken out of the middle is one removal, and what stood
//! behind it is compared with itself. Two elements with different `name`s are never taken for one that changed.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where it is, such as `spec.containers[0].env[3]`. A removed element has its old index, everything else the new one.
    pub path: String,
    /// What it is.
    pub kind: ChangeKind,
}

/// The sort of a difference, with the values.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    /// A field or an element that was not there.
    Added(Value),
    /// A field or an element that is there no longer.
    Removed(Value),
    /// A value in the place of another.
    Replaced {
        /// The old value.
        before: Value,
        /// The new one.
        after: Value,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            ChangeKind::Added(value) => write!(f, "+ {path}: {value}"),
            ChangeKind::Removed(value) => write!(f, "- {path}: {value}"),
            ChangeKind::Replaced { before, after } => write!(f, "~ {path}: {before} -> {after}"),
        }
    }
}

/// The differences between two values, in the order of the paths' keys and indices.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                compare_fields(&field(path, key), old.get(key), new.get(key), found);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for (i, j) in align(old, new) {
                let index = j.or(i).unwrap_or_default();
                let element = |list: &'_ [Value], at: Option<usize>| at.and_then(|at| list.get(at)).cloned();
                let (old, new) = (element(old, i), element(new, j));
                compare_fields(&format!("{path}[{index}]"), old.as_ref(), new.as_ref(), found);
            }
        }
        _ => found.push(Change {
            path: path.to_owned(),
            kind: ChangeKind::Replaced { before: before.clone(), after: after.clone() },
        }),
    }
}

fn compare_fields(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    let kind = match (before, after) {
        (Some(before), Some(after)) => return compare(path, before, after, found),
        (Some(before), None) => ChangeKind::Removed(before.clone()),
        (None, Some(after)) => ChangeKind::Added(after.clone()),
        (None, None) => return,
    };
    found.push(Change { path: path.to_owned(), kind });
}

/// A key that could be mistaken for more than one is put into brackets: `annotations["example.com/a"]`.
fn field(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    match (plain, path) {
        (true, "") => key.to_owned(),
        (true, _) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", Value::from(key)),
    }
}

/// Which element of `old` became which element of `new`, at the least cost. `None`: there is no counterpart.
fn align(old: &[Value], new: &[Value]) -> Vec<(Option<usize>, Option<usize>)> {
    let costs = alignment_costs(old, new);
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    while i < old.len() || j < new.len() {
        let here = costs[i][j];
        if i < old.len() && j < new.len() {
            let change = distance(&old[i], &new[j]);
            if change.is_some_and(|change| here == change + costs[i + 1][j + 1]) {
                steps.push((Some(i), Some(j)));
                (i, j) = (i + 1, j + 1);
                continue;
            }
        }
        if i < old.len() && here == size(&old[i]) + costs[i + 1][j] {
            steps.push((Some(i), None));
            i += 1;
        } else {
            steps.push((None, Some(j)));
            j += 1;
        }
    }
    steps
}

/// `costs[i][j]`: what it takes to make `new[j..]` of `old[i..]`.
fn alignment_costs(old: &[Value], new: &[Value]) -> Vec<Vec<usize>> {
    let mut costs = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..=old.len()).rev() {
        for j in (0..=new.len()).rev() {
            let remove = (i < old.len()).then(|| size(&old[i]) + costs[i + 1][j]);
            let add = (j < new.len()).then(|| size(&new[j]) + costs[i][j + 1]);
            let change = (remove.is_some() && add.is_some())
                .then(|| distance(&old[i], &new[j]))
                .flatten()
                .map(|change| change + costs[i + 1][j + 1]);
            costs[i][j] = [remove, add, change].into_iter().flatten().min().unwrap_or_default();
        }
    }
    costs
}

/// How much has to change to make one value of the other; `None` when they are different things.
fn distance(before: &Value, after: &Value) -> Option<usize> {
    if before == after {
        return Some(0);
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let names = (old.get("name"), new.get("name"));
            if matches!(names, (Some(Value::String(old)), Some(Value::String(new))) if old != new) {
                return None;
            }
            let removed = old.iter().filter(|(key, _)| !new.contains_key(*key));
            let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
            let one_sided: usize = removed.chain(added).map(|(_, value)| size(value)).sum();
            let both = old.iter().filter_map(|(key, value)| Some((value, new.get(key)?)));
            let replaced = |(old, new)| distance(old, new).unwrap_or_else(|| size(old) + size(new));
            Some(one_sided + both.map(replaced).sum::<usize>())
        }
        (Value::Array(old), Value::Array(new)) => Some(alignment_costs(old, new)[0][0]),
        _ => Some(size(before) + size(after)),
    }
}

/// How many values a value is made of.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(size).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        _ => 1,
    }
}
