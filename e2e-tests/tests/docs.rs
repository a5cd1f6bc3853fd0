//! The documentation is true as far as a program can tell: each finding has its entry, links lead somewhere, and commands
//! run, with stand-ins for the tools that need a cluster.

#![cfg(feature = "engine")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e_tests::testing::{module, workspace};

/// Every Markdown file of the repository.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![workspace().join("docs"), workspace().join("examples"), workspace().join(".github")];
    let mut files: Vec<PathBuf> = entries(workspace()).into_iter().filter(|path| path.is_file()).collect();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for path in files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        pages.insert(path, text);
    }
    assert!(pages.len() > 15, "{}", pages.len());
    pages
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// The lines of a page that are not code, and those that are, by block with the block's language.
fn parts(text: &str) -> (Vec<&str>, Vec<(&str, String)>) {
    let (mut prose, mut blocks, mut open) = (Vec::new(), Vec::new(), None::<(&str, String)>);
    for line in text.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => open = Some((language, String::new())),
            (None, None) => prose.push(line),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    (prose, blocks)
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for heading in parts(text).0.into_iter().filter(|line| line.starts_with('#')) {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
        let anchor: String = kept.map(|char| if char == ' ' { '-' } else { char }).collect();
        let mut unique = anchor.clone();
        let mut count = 0;
        while !anchors.insert(unique.clone()) {
            count += 1;
            unique = format!("{anchor}-{count}");
        }
    }
    anchors
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut broken = Vec::new();
    let mut links = 0;
    for (path, text) in &pages {
        let prose = parts(text).0.join("\n");
        for rest in prose.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.parent().expect("a folder");
            let file = if file.is_empty() { path.clone() } else { folder.join(file) };
            let Ok(file) = file.canonicalize() else {
                broken.push(format!("{}: {target}", path.display()));
                continue;
            };
            let markdown = file.extension().is_some_and(|extension| extension == "md");
            let known = !markdown || std::fs::read_to_string(&file).is_ok_and(|text| anchors(&text).contains(anchor));
            if !anchor.is_empty() && !known {
                broken.push(format!("{}: {target}: no such heading", path.display()));
            }
        }
    }
    assert_eq!(broken, [] as [&str; 0], "{}", broken.join("\n"));
    assert!(links > 60, "{links}");
}

#[test]
fn each_finding_has_its_entry_and_each_entry_its_finding() {
    let source = std::fs::read_to_string(workspace().join("src/finding.rs")).expect("the findings' source");
    let ids = source.split("pub fn id(").nth(1).and_then(|rest| rest.split("\n    }\n").next()).expect("the ids");
    let ids: BTreeSet<&str> = ids.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(ids.len() > 35, "{ids:?}");
    let page = std::fs::read_to_string(workspace().join("docs/findings.md")).expect("the page");
    let headings: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let entries = || headings.iter().filter_map(|heading| heading.split_once('/')).filter(|(_, id)| !id.contains(' '));
    let told: BTreeSet<&str> = entries().map(|(_, id)| id).collect();
    assert_eq!(told, ids);
    // What messages of the cases name is a heading, word for word.
    let mut named = BTreeSet::new();
    for rule in entries_of_cases() {
        let text = std::fs::read_to_string(rule).expect("a case");
        for line in text.lines().filter(|line| line.contains("to mend it, ")) {
            let line = line.trim_start_matches([' ', '-', '"']);
            let line = line.strip_prefix("message: ").unwrap_or(line).trim_start_matches('"');
            let line = line.strip_prefix("not enforced: ").unwrap_or(line);
            named.extend(line.split_once(": ").map(|(id, _)| id.to_owned()));
        }
    }
    let named: BTreeSet<&str> = named.iter().map(String::as_str).filter(|id| id.contains('/')).collect();
    assert!(named.len() > 30, "{named:?}");
    let lacking: Vec<&&str> = named.iter().filter(|id| !headings.contains(**id)).collect();
    assert_eq!(lacking, [] as [&&str; 0]);
}

fn entries_of_cases() -> Vec<PathBuf> {
    entries(&workspace().join("e2e-tests/cases")).iter().flat_map(|rule| entries(rule)).collect()
}

/// A tool that needs a cluster or a registry: it prints what a command after a pipe can read.
const STAND_IN: &str = r#"#!/bin/sh
case "$*" in *"-f -") cat >/dev/null ;; esac
case "$*" in
  *exec*|*"create token"*) echo h.eyJhdWQiOlsiYSJdLCJleHAiOjEsInN1YiI6InMiLCJrdWJlcm5ldGVzLmlvIjp7InBvZCI6eyJuYW1lIjoicCJ9fX0.s ;;
  run*) echo '{"patch":"W10="}' ;;
  *"get --raw"*) echo '{"issuer":"i"}' ;;
  *127.0.0.1*) echo '{"response":{"patch":"W10="}}' ;;
  *logs*) echo '{"target":"policy_log","timestamp":"t","level":"INFO","fields":{"message":"m","data":"{}"}}' ;;
  *template*|*"dry-run=client"*) cat POD ;;
  *json*) cat LIST ;;
  *) echo text ;;
esac
"#;

const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "airflow"},
    "spec": {"containers": [{"name": "c"}]}}"#;

/// The commands of a `console` block: those after `$ `, each with the lines that continue it.
fn commands(block: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut open = false;
    for line in block.lines() {
        let line_in = line.trim_start();
        if let Some(command) = line_in.strip_prefix("$ ") {
            commands.push(command.to_owned());
            open = true;
        } else if open && line.starts_with(' ') && !line_in.is_empty() {
            if let Some(command) = commands.last_mut() {
                *command += &format!("\n{line}");
            }
        } else {
            open = false;
        }
    }
    commands
}

#[test]
fn every_command_runs() {
    if Command::new("jq").arg("--version").output().is_err() {
        e2e_tests::testing::skip("the commands of the documentation need jq on the PATH");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let write = |name: &str, text: &str| {
        let path = here.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    };
    for name in ["kubectl", "helm", "kwctl", "cosign", "gh", "airflow", "cargo", "make", "curl", "policy-server", "git"]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let list = write("LIST", &format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{POD}]}}"));
        let pod = write("POD", POD);
        let script = STAND_IN.replace("LIST", &list.display().to_string()).replace("POD", &pod.display().to_string());
        let path = write(&format!("bin/{name}"), &script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    for name in ["pod.yaml", "mutating.yaml", "validating.yaml", "audit.log", "settings.yaml"] {
        write(
            name,
            if name == "pod.yaml" {
                POD
            } else if name == "audit.log" {
                ""
            } else {
                "mode: mutate"
            },
        );
    }
    write("response.json", r#"{"patch": "W10="}"#);
    for name in ["team-a", "team-b"] {
        write(&format!("keys/{name}.json"), "{}");
    }
    for name in ["examples", "e2e-tests", "docs", "examples/kubernetes/secrets/from-old-setting.sh"] {
        let link = here.join(name.rsplit('/').next().unwrap_or(name));
        std::os::unix::fs::symlink(workspace().join(name), link).expect("a link");
    }
    std::fs::create_dir_all(here.join("target/debug")).expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_review"), here.join("target/debug/review")).expect("a link");
    let makefile = std::fs::read_to_string(workspace().join("Makefile")).expect("the Makefile");
    let path = format!("{}:{}", here.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let (mut failed, mut ran) = (Vec::new(), 0);
    for (page, text) in pages() {
        for (_, block) in parts(&text).1.iter().filter(|(language, _)| *language == "console") {
            for command in commands(block) {
                for target in command.split("make ").skip(1).filter(|_| command.starts_with("make ")) {
                    let target = target.split([' ', '\n']).next().unwrap_or_default();
                    let known = makefile.lines().any(|line| line.split(':').next() == Some(target));
                    assert!(known, "{}: make {target}: no such target", page.display());
                }
                let output = Command::new("bash")
                    .args([
                        "-euo",
                        "pipefail",
                        "-c",
                        &format!("W=w MODULE=m; cd {}; {}", here.display(), command.replace("/keys/", "keys/")),
                    ])
                    .env("PATH", &path)
                    .env("AIRFLOW_POD_IDENTITY_MODULE", module())
                    .output()
                    .expect("bash runs");
                ran += 1;
                // `review` ends with 1 where something is denied.
                let fine = output.status.success() || command.contains("review") && output.status.code() == Some(1);
                if !fine {
                    let error = String::from_utf8_lossy(&output.stderr);
                    failed.push(format!("{}: {command}\n{error}", page.display()));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(ran > 50, "{ran}");
}
