//! `bench`, with the built module.

#![cfg(feature = "engine")]

use std::process::{Command, Output};

use e2e_tests::testing::module;

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.arg(module()).args(arguments).output().expect("it runs")
}

#[test]
fn a_table_of_fuel_and_memory_is_printed() {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a temporary file");
    std::fs::write(file.path(), "{apiVersion: v1, kind: Pod, metadata: {name: a}}").expect("it can be written");
    let path = file.path().display().to_string();
    let output = bench(&[&path]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.starts_with("module: "), "{table}");
    let name = file.path().file_name().expect("a name").to_string_lossy();
    let row = table.lines().last().expect("a row");
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    assert_eq!((cells.len(), cells[0]), (3, &*name), "{table}");
}

#[test]
fn a_missing_file_is_an_error() {
    let output = bench(&["absent.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: absent.yaml: "));
}

#[test]
fn times_that_were_not_taken_are_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = bench(&["--times", &folder.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    let missing = folder.path().join("module/compile/new/estimates.json");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(&format!("error: {}: ", missing.display())));
}
