//! Seeds and past finds, as ordinary tests. `FUZZ_INPUTS=folder` runs the inputs of `folder/TARGET` besides.

use std::path::{Path, PathBuf};

use airflow_pod_identity_fuzz::{annotations, pod, request, settings};

/// Runs all inputs of a target, and says which of them break what.
#[track_caller]
fn replay(target: &str, check: fn(&[u8]) -> Result<(), String>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let more = std::env::var_os("FUZZ_INPUTS").map(PathBuf::from);
    let folders = [Some(here.join("seeds")), Some(here.join("finds")), more];
    let (mut count, mut broken) = (0, Vec::new());
    for folder in folders.into_iter().flatten() {
        // A target may have no finds.
        let Ok(entries) = std::fs::read_dir(folder.join(target)) else { continue };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            count += 1;
            if let Err(what) = check(&std::fs::read(&path).expect("a readable file")) {
                broken.push(format!("{}: {what}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{} of {count} inputs:\n{}", broken.len(), broken.join("\n"));
    assert!(count > 0, "no inputs for {target}");
}

#[test]
fn requests() {
    replay("request", request::check);
}

#[test]
fn pods() {
    replay("pod", pod::check);
}

#[test]
fn settings_documents() {
    replay("settings", settings::check);
}

#[test]
fn annotation_texts() {
    replay("annotations", annotations::check);
}
