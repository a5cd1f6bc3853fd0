//! Makes an input smaller as long as it stays interesting: a reader wants to see what matters and nothing else.

use serde_json::Value;

/// The smallest value that is found by taking things out, one at a time, of one that is interesting.
pub fn smallest(mut value: Value, is_interesting: impl Fn(&Value) -> bool) -> Value {
    let mut at = 0;
    while let Some(smaller) = without(&value, &mut { at }) {
        if is_interesting(&smaller) {
            value = smaller;
        } else {
            at += 1;
        }
    }
    value
}

/// The value without its `at`th part, counting lists' items and objects' fields from outside in.
fn without(value: &Value, at: &mut usize) -> Option<Value> {
    match value {
        Value::Array(items) => {
            if *at < items.len() {
                let mut items = items.clone();
                items.remove(*at);
                return Some(items.into());
            }
            *at -= items.len();
            items.iter().enumerate().find_map(|(index, item)| {
                let smaller = without(item, at)?;
                let mut items = items.clone();
                items[index] = smaller;
                Some(items.into())
            })
        }
        Value::Object(fields) => {
            if let Some(key) = fields.keys().nth(*at) {
                let mut fields = fields.clone();
                fields.remove(&key.clone());
                return Some(fields.into());
            }
            *at -= fields.len();
            fields.iter().find_map(|(key, field)| {
                let smaller = without(field, at)?;
                let mut fields = fields.clone();
                fields.insert(key.clone(), smaller);
                Some(fields.into())
            })
        }
        _ => None,
    }
}
