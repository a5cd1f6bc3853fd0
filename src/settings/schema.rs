//! The settings as a JSON Schema, for editors, for the reference page and for forms: derived from the very types that read
//! them. Native only: nothing of it is in the module.

#![allow(clippy::indexing_slicing, reason = "an index of a JSON value that is not there is null")]

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;

use super::problems::{At, Problems};
use super::rbac::{Access, AccessRule, NamedAccess};
use super::read::{Labels, Restriction, Seconds, Setting};
use super::service_accounts::Automount;
use super::{Allow, Catalogue, Settings};
use crate::credentials::TYPES;
use crate::json::Reader;

/// The schema of the settings document.
#[must_use]
pub fn schema() -> Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Settings<'_>>().to_value();
    drop_null(&mut schema);
    schema
}

/// A key of a section.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// The lines of its documentation.
    pub(crate) doc: &'static [&'static str],
    pub(crate) schema: Schema,
    /// What it is when it is not given; null: nothing.
    pub(crate) default: Value,
}

/// The schema of a section: `others` are keys that somebody else reads, `lacking` what an empty one is told.
pub(crate) fn section(doc: &[&str], keys: Vec<Key>, others: &[&str], lacking: &[String]) -> Schema {
    // Where one of several keys would do, none is required.
    let is_required = |key: &&Key| {
        let told = format!("`{}` is required", key.name);
        lacking.iter().filter_map(|problem| problem.strip_prefix(&told)).any(|why| !why.contains(" or `"))
    };
    let required: Vec<&str> = keys.iter().filter(is_required).map(|key| key.name).collect();
    let mut properties: Map<String, Value> = others.iter().map(|name| ((*name).to_owned(), true.into())).collect();
    for key in keys {
        let mut schema = key.schema;
        let form = schema.get("description").and_then(Value::as_str).map(|form| format!(" {form}"));
        schema.insert("description".into(), (doc_text(key.doc) + form.as_deref().unwrap_or_default()).into());
        // What a section is by default, its own keys say.
        if !key.default.is_null() && !key.default.is_object() {
            schema.insert("default".into(), key.default);
        }
        properties.insert(key.name.to_owned(), schema.to_value());
    }
    let mut schema = json_schema!({
        "type": "object", "description": doc_text(doc), "properties": properties, "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

/// What is wrong with a section that holds nothing.
pub(crate) fn lacking<'a, T: Setting<'a>>() -> Vec<String> {
    let mut problems = Problems::default();
    match T::read(&mut Reader::new("{}"), At::ROOT, &mut problems) {
        Ok(_) => problems.into_vec(),
        Err(why) => vec![why.to_string()],
    }
}

/// A documentation comment as a text.
pub(crate) fn doc_text(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The schema of a closed set of words.
pub(crate) fn words(words: &[(&str, &[&str])]) -> Schema {
    let word = |(word, doc): &(&str, &[&str])| serde_json::json!({"const": word, "description": doc_text(doc)});
    let mut choices: Vec<Value> = words.iter().map(word).collect();
    if words.iter().any(|(word, _)| *word == "Off") {
        choices.push(serde_json::json!({"const": false, "description": "`Off`, as YAML 1.1 readers take it."}));
    }
    json_schema!({ "oneOf": choices })
}

/// A string of which `expected` says what it must be.
pub(crate) fn string(expected: &str) -> Schema {
    json_schema!({ "type": "string", "description": format!("Must be {expected}.") })
}

/// A null stands for the default everywhere; schemas of keys that say so would only be in the way.
fn drop_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            object.values_mut().for_each(drop_null);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_null),
        _ => {}
    }
}

/// Makes the schema and the JSON of a setting that is a text.
macro_rules! text {
    ($name:ident, $expected:literal) => {
        impl schemars::JsonSchema for $name<'_> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::settings::schema::string($expected)
            }
        }

        impl serde::Serialize for $name<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}
pub(crate) use text;

impl<T: JsonSchema> JsonSchema for Restriction<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Restriction_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "array", "items": generator.subschema_for::<T>(), "minItems": 1})
    }
}

impl<T: Serialize> Serialize for Restriction<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Labels<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Labels".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": "string"}})
    }
}

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Seconds<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Seconds_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

impl<const MIN: i64, const MAX: i64> Serialize for Seconds<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl JsonSchema for Automount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Automount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"enum": [true, false, null]})
    }
}

impl Serialize for Automount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Access<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Access".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let either = [generator.subschema_for::<NamedAccess>(), generator.subschema_for::<AccessRule<'_>>()];
        json_schema!({ "anyOf": either })
    }
}

impl Serialize for Access<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(access) => access.serialize(serializer),
            Self::Rule(rule) => rule.serialize(serializer),
        }
    }
}

impl JsonSchema for Catalogue<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Catalogue".into()
    }

    /// A credential is what its `type` says: the type's own keys, and those that all have.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let allow = generator.subschema_for::<Allow<'_>>();
        let entries: Vec<Value> = TYPES
            .iter()
            .map(|known| {
                let mut entry = (known.schema)(generator).to_value();
                let mut common = allow.clone();
                common.insert("description".into(), "Who may use it; without it nobody may.".into());
                entry["title"] = known.name.into();
                entry["properties"]["type"] = serde_json::json!({"const": known.name});
                entry["properties"]["allow"] = common.to_value();
                let required = entry["required"].as_array().cloned().unwrap_or_default();
                entry["required"] = [vec!["type".into()], required].concat().into();
                entry
            })
            .collect();
        json_schema!({
            "type": "object",
            "propertyNames": {"pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
            "additionalProperties": {"oneOf": entries},
        })
    }
}

impl Serialize for Catalogue<'_> {
    /// Only the default is ever written, and it is empty.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}
