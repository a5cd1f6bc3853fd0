//! Makes and walks JSON that is kept as it is spelled.

use e2e_tests::laws::Tree;
use serde_json::Value;

/// A string.
#[must_use]
pub fn text(text: &str) -> Tree {
    Tree::Scalar(quoted(text))
}

/// Anything that is given as JSON.
#[must_use]
pub fn raw(json: &str) -> Tree {
    Tree::parse(json)
}

/// An object of these pairs.
#[must_use]
pub fn object(pairs: Vec<(&str, Tree)>) -> Tree {
    Tree::Object(pairs.into_iter().map(|(key, value)| (quoted(key), value)).collect())
}

/// A string as JSON spells it.
#[must_use]
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A scalar's text, if it is a string.
#[must_use]
pub fn plain(scalar: &str) -> Option<String> {
    serde_json::from_str(scalar).ok()
}

/// The JSON in a text; nothing when some parser might not take it.
#[must_use]
pub fn parse(text: &str) -> Option<Tree> {
    serde_json::from_str::<Value>(text).ok()?;
    Some(Tree::parse(text))
}

/// The JSON with white space wherever there may be some.
#[must_use]
pub fn spaced(tree: &Tree, space: &str) -> String {
    let list = |items: Vec<String>| items.join(&format!("{space},{space}"));
    match tree {
        Tree::Scalar(scalar) => scalar.clone(),
        Tree::List(items) => {
            let items = items.iter().map(|item| spaced(item, space)).collect();
            format!("[{space}{}{space}]", list(items))
        }
        Tree::Object(pairs) => {
            let pair = |(key, value): &(String, Tree)| format!("{key}{space}:{space}{}", spaced(value, space));
            format!("{{{space}{}{space}}}", list(pairs.iter().map(pair).collect()))
        }
    }
}

/// How many values there are, the tree itself among them.
#[must_use]
pub fn count(tree: &Tree) -> usize {
    1 + match tree {
        Tree::Scalar(_) => 0,
        Tree::List(items) => items.iter().map(count).sum(),
        Tree::Object(pairs) => pairs.iter().map(|(_, value)| count(value)).sum(),
    }
}

/// One of these values, counted from the top.
pub fn nth(tree: &mut Tree, index: usize) -> &mut Tree {
    if index == 0 {
        return tree;
    }
    let mut rest = index - 1;
    let children: Vec<&mut Tree> = match tree {
        Tree::Scalar(_) => Vec::new(),
        Tree::List(items) => items.iter_mut().collect(),
        Tree::Object(pairs) => pairs.iter_mut().map(|(_, value)| value).collect(),
    };
    for child in children {
        let size = count(child);
        if rest < size {
            return nth(child, rest);
        }
        rest -= size;
    }
    unreachable!("there are not that many values")
}
