//! The policy's own tests: tables of cases, run natively and, from the same tables, on wasm32-unknown-unknown in Node,
//! where there is no host and pointers have 32 bits.

mod support;

use airflow_pod_identity::cluster::NoCluster;
use airflow_pod_identity::json::{Kind, Reader, Splices};
use airflow_pod_identity::settings::pattern;
use airflow_pod_identity::sorted::Flags;
use airflow_pod_identity::{explain, names, validate, validate_settings};
use serde_json::{Value, json};
use support::{rows, table_test, text};

table_test!(patterns, {
    for row in rows(include_str!("tables/patterns.json")) {
        let (pattern, subject) = (text(&row, "pattern"), text(&row, "text"));
        let found = pattern::matches(pattern, subject);
        assert_eq!(json!(found), row["matches"], "`{pattern}` over `{subject}`");
    }
});

table_test!(name_forms, {
    for row in rows(include_str!("tables/names.json")) {
        let name = text(&row, "name");
        let found = json!({
            "label": names::is_dns_label(name),
            "subdomain": names::is_dns_subdomain(name),
            "key": names::is_secret_key(name),
        });
        assert_eq!(found, row["is"], "`{name}`");
    }
});

table_test!(paths, {
    for row in rows(include_str!("tables/paths.json")) {
        let path = text(&row, "path");
        assert_eq!(names::clean_path(path), text(&row, "clean"), "`{path}`");
    }
});

table_test!(volume_names, {
    for row in rows(include_str!("tables/volume_names.json")) {
        let label = names::label_of("gcp-", text(&row, "credential"));
        assert_eq!(label, text(&row, "volume"));
        assert!(names::is_dns_label(&label), "`{label}`");
        assert!(!label.contains("serviceaccount"), "`{label}`");
    }
});

table_test!(settings, {
    for row in rows(include_str!("tables/settings.json")) {
        // A document that says what JSON values can't, such as a key that stands there twice, is a text.
        let document = row["text"].as_str().map_or_else(|| row["document"].to_string(), str::to_owned);
        let answer: Value = serde_json::from_slice(&validate_settings(document.as_bytes())).unwrap();
        let mut expected: Vec<&str> =
            row["problems"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        // A table keeps no order of keys, in which problems are told.
        expected.sort_unstable();
        let message = answer["message"].as_str().unwrap_or_default();
        let (heading, told) = message.split_once(" in the settings\n- ").unwrap_or_default();
        let mut told: Vec<&str> = told.split("\n- ").filter(|line| !line.is_empty()).collect();
        told.sort_unstable();
        assert_eq!(told, expected, "{}", text(&row, "case"));
        assert_eq!(answer["valid"], json!(expected.is_empty()), "{}", text(&row, "case"));
        let count = if expected.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", expected.len()) };
        assert!(expected.is_empty() || heading == count, "{heading}");
    }
});

table_test!(verdicts, {
    for row in rows(include_str!("tables/verdicts.json")) {
        let settings = row["settings"].as_str().map_or_else(|| row["settings"].to_string(), str::to_owned);
        let payload = format!(r#"{{"request":{},"settings":{settings}}}"#, row["request"]);
        let answer: Value = serde_json::from_slice(&validate(payload.as_bytes(), &NoCluster)).unwrap();
        assert_eq!(answer, row["answer"], "{}", text(&row, "case"));
    }
});

table_test!(explanations, {
    for row in rows(include_str!("tables/explanations.json")) {
        let payload = json!({"request": row["request"], "settings": row["settings"]}).to_string();
        assert_eq!(json!(explain(payload.as_bytes())), row["lines"], "{}", text(&row, "case"));
    }
});

table_test!(readable_as_serde_json_reads, {
    for row in rows(include_str!("tables/json.json")) {
        let document = text(&row, "text");
        let mut reader = Reader::new(document);
        let ours = reader.skip().and_then(|_| reader.end()).map_err(|why| why.to_string());
        assert_eq!(ours.is_ok(), serde_json::from_str::<Value>(document).is_ok(), "`{document}`: {ours:?}");
        match (row["error"].as_str(), ours) {
            (Some(expected), Err(found)) => assert_eq!(found, expected, "`{document}`"),
            (None, Ok(())) => {}
            (expected, found) => panic!("`{document}`: expected {expected:?}, found {found:?}"),
        }
    }
});

table_test!(strings_as_serde_json_writes, {
    let all: String = (0..0x300).filter_map(char::from_u32).collect();
    let each = all.chars().map(|char| format!("seven: {char}"));
    for text in each.chain([String::new(), String::from("/\u{2028}\u{1f600}"), all.clone()]) {
        let mut ours = String::new();
        airflow_pod_identity::json::quote(&mut ours, &text);
        assert_eq!(ours, serde_json::to_string(&text).unwrap());
    }
});

table_test!(strings_as_serde_json_reads, {
    for row in rows(include_str!("tables/strings.json")) {
        let document = text(&row, "text");
        let mut reader = Reader::new(document);
        assert_eq!(reader.kind().unwrap(), Kind::String);
        let ours = reader.string("").unwrap().unwrap();
        assert_eq!(ours, serde_json::from_str::<String>(document).unwrap(), "`{document}`");
    }
});

table_test!(splices, {
    for row in rows(include_str!("tables/splices.json")) {
        let list = text(&row, "list");
        let mut reader = Reader::new(list);
        let mut elements = reader.list("").unwrap();
        let mut ranges = Vec::new();
        while reader.element(&mut elements).unwrap().is_some() {
            ranges.push(reader.skip().unwrap().range());
        }
        let gone: Vec<usize> = serde_json::from_value(row["remove"].clone()).unwrap();
        let gone: Flags = gone.into_iter().collect();
        let added: Vec<String> = row["append"].as_array().unwrap().iter().map(Value::to_string).collect();
        let mut splices = Splices::default();
        splices.remove(&ranges, &gone);
        let slot = airflow_pod_identity::json::Slot::List(elements.at());
        splices.append(Default::default(), "", &slot, &added, gone.len());
        assert_eq!(splices.apply(list, 0..list.len()), text(&row, "result"));
    }
});
