//! A JSON tree that keeps the order in which an object's keys were written.
//!
//! Measurements need it: what a call costs depends on the order of the keys, and a tree that sorts them would measure a
//! request that nobody sends.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Number, Value};

/// A JSON value whose objects are lists of pairs.
#[derive(Debug, Clone, PartialEq)]
pub enum Ordered {
    /// `null`, `true`, a number or a string.
    Scalar(Value),
    /// A list.
    List(Vec<Ordered>),
    /// An object: its pairs, as written.
    Object(Vec<(String, Ordered)>),
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Object(pairs) => {
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                for (key, value) in pairs {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ordered, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Ordered::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Ordered::Object(pairs))
    }
}

/// The order in which the API server writes the fields of an AdmissionRequest and of what they hold.
const FIELDS: [&str; 19] = [
    "uid",
    "group",
    "version",
    "kind",
    "resource",
    "requestKind",
    "requestResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "username",
    "groups",
    "object",
    "oldObject",
    "dryRun",
    "options",
    "subResource",
    "requestSubResource",
];

/// A request with its fields in the API server's order, and the keys of its object in the order given.
#[must_use]
pub fn ordered_request(request: &Value, object: Ordered) -> Ordered {
    let mut ordered = in_field_order(request);
    if let Ordered::Object(pairs) = &mut ordered {
        let place = pairs.iter_mut().find(|(key, _)| key == "object");
        if let Some((_, value)) = place {
            *value = object;
        }
    }
    ordered
}

fn in_field_order(value: &Value) -> Ordered {
    let rank = |key: &str| FIELDS.iter().position(|field| *field == key).unwrap_or(FIELDS.len());
    match value {
        Value::Object(fields) => {
            let mut pairs: Vec<_> = fields.iter().map(|(key, value)| (key.clone(), in_field_order(value))).collect();
            pairs.sort_by_key(|(key, _)| rank(key));
            Ordered::Object(pairs)
        }
        Value::Array(items) => Ordered::List(items.iter().map(in_field_order).collect()),
        scalar => Ordered::Scalar(scalar.clone()),
    }
}
