//! The documents of examples/settings, and what the guides claim of them, on the chart's own pods. And no false alarm:
//! what holds no violation passes untouched.

#[path = "support/review.rs"]
mod review;
#[path = "support/samples.rs"]
mod samples;

use std::collections::BTreeSet;
use std::fmt::Write;

use e2e_tests::laws::{Held, OTHER_SERVICES, SECTIONS, api_tokens, is_injected};
use e2e_tests::settings;
use e2e_tests::testing::{policy, workspace};
use serde_json::{Value, json};

use crate::review::{answer, told};
use crate::samples::{Sample, samples};

const DEFAULT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn load(name: &str) -> Value {
    let path = workspace().join(format!("examples/settings/{name}.yaml"));
    settings::load(path).unwrap_or_else(|error| panic!("{error}"))
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(workspace().join("examples/settings")).expect("examples");
    let files = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = files.filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned)).collect();
    names.sort();
    names
}

fn document(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_document_is_accepted_in_both_modes() {
    let names = names();
    assert!(names.len() >= 20, "{names:?}");
    for name in names {
        let mut settings = load(&name);
        for mode in ["mutate", "validate"] {
            settings["mode"] = mode.into();
            let verdict = policy().validate_settings(&settings).expect("a verdict");
            assert!(verdict.valid, "{name}, {mode}: {:?}", verdict.message);
        }
    }
}

/// Which containers of the chart's examples hold a token once everything is enforced: the guides' claims.
const KEEPERS: [(&str, &str, &[&str]); 12] = [
    ("components-kubernetes-executor", "kubernetes-executor", &["api-server", "scheduler", "triggerer"]),
    (
        "components-kubernetes-executor",
        "x-all-components-kubernetes",
        &["airflow-cleanup-pods", "api-server", "scheduler", "triggerer"],
    ),
    ("components-celery-executor", "default", &["triggerer", "worker"]),
    ("components-local-executor", "x-executor-local-default", &["scheduler", "triggerer"]),
    ("components-celery-kubernetes-executor", "celery-kubernetes-executor", &["scheduler", "triggerer", "worker"]),
    ("components-multi-executor", "celery-kubernetes-executor", &["api-server", "scheduler", "triggerer", "worker"]),
    ("migration-3-enforce-all", "migration-step2", &["api-server", "scheduler", "triggerer"]),
    ("migration-3-enforce-all", "migration-step3", &["api-server", "scheduler", "triggerer"]),
    ("migration-4-manual-only", "migration-step3", &["api-server", "scheduler", "triggerer"]),
    ("migration-4-manual-only", "manual-token-volume", &["api-server", "scheduler", "triggerer"]),
    ("migration-4-manual-only", "x-automount-off-no-volume", &["api-server", "scheduler", "triggerer"]),
    ("migration-4-manual-only", "default", &["api-server", "scheduler", "triggerer"]),
];

#[test]
fn the_containers_that_the_guides_name_keep_their_token_and_no_other_does() {
    let Some(samples) = samples() else { return };
    for (name, example, expected) in KEEPERS {
        let settings = load(name);
        let mut keepers = BTreeSet::new();
        for pod in samples.iter().filter(|sample| sample.is_admitted() && sample.example() == Some(example)) {
            let verdict = answer(&pod.request(), &settings, "mutate");
            assert!(verdict.accepted, "{name}: {}: {:?}", pod.name, verdict.message);
            let result = verdict.mutated_object.as_ref().unwrap_or(&pod.value);
            keepers.extend(api_tokens(result, &OTHER_SERVICES).into_iter().map(|held| held.container));
        }
        assert_eq!(keepers.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{name} on {example}");
    }
}

/// Whether an entry of `tokenMounts.components` names a pod of the release `airflow`, and which containers it lists.
fn listed(settings: &Value, pod: &Value) -> Option<Vec<(&'static str, String)>> {
    let default =
        json!([{"match": {"labels": {"tier": "airflow", "component": "scheduler"}}, "containers": ["scheduler"]}]);
    let given = &settings["tokenMounts"]["components"];
    let components = if given.is_null() { &default } else { given };
    let account = format!("airflow/{}", pod["spec"]["serviceAccountName"].as_str().unwrap_or("default"));
    let matches = |entry: &&Value| {
        let labels = entry["match"]["labels"].as_object().into_iter().flatten();
        let accounts = entry["match"]["serviceAccounts"].as_array();
        labels.into_iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value)
            && accounts.is_none_or(|list| list.iter().any(|name| *name == *account || name == "*/*"))
    };
    let entries: Vec<&Value> = components.as_array().into_iter().flatten().filter(matches).collect();
    let names = |section: &'static str, entry: &Value| -> Vec<(&'static str, String)> {
        entry[section]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| Some((section, name.as_str()?.to_owned())))
            .collect()
    };
    let all = entries.iter().flat_map(|entry| [names("containers", entry), names("initContainers", entry)].concat());
    (!entries.is_empty()).then(|| all.collect())
}

#[test]
fn every_components_and_migration_document_does_to_the_charts_pods_what_it_says() {
    let Some(samples) = samples() else { return };
    let mut denied = BTreeSet::new();
    for name in names().iter().filter(|name| name.starts_with("components-") || name.starts_with("migration-")) {
        let settings = load(name);
        let (tokens, global) = (&settings["tokenMounts"], &settings["failureAction"]);
        let enforced = tokens["airflowPods"] == "Enforce";
        let gives = tokens["serviceAccountTokenVolume"]["enabled"] == true;
        for pod in samples.iter().filter(|sample| sample.is_admitted() && sample.example().is_some()) {
            let what = format!("{name}: {}", pod.name);
            let before = api_tokens(&pod.value, &OTHER_SERVICES);
            let verdict = answer(&pod.request(), &settings, "mutate");
            let listed = listed(&settings, &pod.value);
            let may = |held: &&Held| {
                let key = (held.section, held.container.clone());
                listed.as_ref().is_some_and(|listed| listed.contains(&key))
            };
            if global == "Audit" || listed.is_none() && !enforced {
                assert!(verdict.accepted && verdict.mutated_object.is_none(), "{what}: {verdict:?}");
                continue;
            }
            if !verdict.accepted {
                let declared = before.iter().filter(|held| !may(held)).any(|held| {
                    let volumes = pod.value["spec"]["volumes"].as_array().into_iter().flatten();
                    volumes.filter(|volume| volume["name"] == *held.volume).any(|volume| !is_injected(volume))
                });
                assert!(declared, "{what}: {verdict:?}");
                denied.insert((name.clone(), pod.example().unwrap_or_default().to_owned()));
                continue;
            }
            let result = verdict.mutated_object.as_ref().unwrap_or(&pod.value);
            let after = api_tokens(result, &OTHER_SERVICES);
            let kept: Vec<&Held> = before.iter().filter(may).collect();
            let held = after.iter().map(|held| (held.section, &held.container)).collect::<BTreeSet<_>>();
            let mut expected: BTreeSet<_> = kept.iter().map(|held| (held.section, &held.container)).collect();
            if gives {
                let is_there = |(section, container): &&(&str, String)| {
                    let all = pod.value["spec"][*section].as_array().into_iter().flatten();
                    all.into_iter().any(|found| found["name"] == *container)
                };
                expected.extend(listed.iter().flatten().filter(is_there).map(|(section, name)| (*section, name)));
            }
            assert_eq!(held, expected, "{what}");
        }
    }
    // Enforced without an entry for the scheduler, the volume that the chart gives it is one too many; and the workaround
    // with `extraVolumeMounts` is denied by every document that enforces.
    let celery: BTreeSet<&str> = denied
        .iter()
        .filter(|(name, example)| name == "components-celery-executor" && !example.starts_with("x-"))
        .map(|(_, example)| example.as_str())
        .collect();
    assert_eq!(celery.len(), 13, "{celery:?}");
    let others = denied.iter().filter(|(name, _)| name != "components-celery-executor");
    assert!(others.clone().all(|(_, example)| example == "x-extravolumemounts-leak"), "{denied:?}");
    assert!(others.count() >= 10, "{denied:?}");
}

/// What the guides say of the reports before anybody enforces: guide, example, findings in pods that are no component.
const REPORTS: [(&str, &str, usize); 4] = [
    ("celery-executor", "default", 15),
    ("celery-kubernetes-executor", "celery-kubernetes-executor", 15),
    ("kubernetes-executor", "kubernetes-executor", 11),
    ("local-executor", "x-executor-local-default", 11),
];

#[test]
fn the_reports_hold_as_many_findings_as_the_guides_say() {
    let Some(samples) = samples() else { return };
    for (guide, example, count) in REPORTS {
        let text = document(&format!("docs/executors/{guide}.md"));
        assert!(text.contains(&format!("give {count} findings")), "docs/executors/{guide}.md");
        let mut found = 0;
        for pod in samples.iter().filter(|sample| sample.is_admitted() && sample.example() == Some(example)) {
            let verdict = answer(&pod.request(), &json!({}), "mutate");
            let findings = verdict.audit_annotations.get("findings").map_or("", String::as_str);
            found += findings.split("; ").filter(|text| text.starts_with("token-mounts/injected-token ")).count();
        }
        assert_eq!(found, count, "{guide}");
    }
}

/// The row of an example in docs/migration.md, as its pod and the answer under default settings make it.
fn row(example: &str, pod: &Sample) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let held = api_tokens(&pod.value, &OTHER_SERVICES);
    let volume = list(&pod.value["spec"]["volumes"]).into_iter().find(|volume| volume["name"] == *held[0].volume);
    let volume = volume.unwrap_or_default();
    let mounts = SECTIONS.iter().flat_map(|section| list(&pod.value["spec"][*section]));
    let mounts: Vec<Value> = mounts.flat_map(|container| list(&container["volumeMounts"])).collect();
    let mount = mounts.iter().find(|mount| mount["name"] == volume["name"]).cloned().unwrap_or_default();
    let token = &volume["projected"]["sources"][0]["serviceAccountToken"];
    let quoted = |value: &Value| format!("`{}`", value.as_str().unwrap_or_default());
    let who = if held.len() == 3 { "all three".to_owned() } else { format!("`{}`", held[0].container) };
    let from = if is_injected(&volume) { "injected".to_owned() } else { quoted(&volume["name"]) };
    let path =
        if mount["mountPath"] == DEFAULT_PATH { "the default path".to_owned() } else { quoted(&mount["mountPath"]) };
    let automount = &pod.value["spec"]["automountServiceAccountToken"];
    let automount = automount.as_bool().map_or("absent".to_owned(), |value| format!("`{value}`"));
    let mut seconds = token["expirationSeconds"].to_string();
    if token["audience"].is_string() {
        let _ = write!(seconds, ", {}", quoted(&token["audience"]));
    }
    let (verdict, change) = outcome(pod);
    format!("| `{example}` | {who} | {from}, {path} | {automount} | {seconds} | {verdict} | {change} |")
}

/// The verdict under default settings, and the change.
fn outcome(pod: &Sample) -> (&'static str, &'static str) {
    let verdict = answer(&pod.request(), &json!({}), "mutate");
    let validate = answer(&pod.request(), &json!({}), "validate");
    assert_eq!(validate.accepted, verdict.mutated_object.is_none(), "{}", pod.name);
    let Some(result) = verdict.mutated_object else {
        return if verdict.accepted { ("accepted", "nothing") } else { ("denied", "") };
    };
    // The same pod, but for two mounts and the field.
    let mut expected = pod.value.clone();
    expected["spec"]["automountServiceAccountToken"] = false.into();
    let volume = api_tokens(&pod.value, &OTHER_SERVICES)[0].volume.clone();
    for (section, index) in [("initContainers", 0), ("containers", 1)] {
        let mounts = expected["spec"][section][index]["volumeMounts"].as_array_mut().expect("mounts");
        let before = mounts.len();
        mounts.retain(|mount| mount["name"] != *volume);
        assert_eq!(mounts.len() + 1, before, "{}", pod.name);
    }
    assert_eq!(result, expected, "{}", pod.name);
    ("mended", "two mounts taken, `automountServiceAccountToken: false` added")
}

#[test]
fn the_charts_sixteen_examples_have_the_rows_that_the_guide_shows() {
    let Some(samples) = samples() else { return };
    let text = document("docs/migration.md");
    let (_, table) = text.split_once("\n## The chart's sixteen examples\n").expect("the chapter");
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows: BTreeSet<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let mut made = BTreeSet::new();
    for pod in samples.iter().filter(|sample| sample.is_admitted()) {
        let Some(example) = pod.example().filter(|example| !example.starts_with("x-")) else { continue };
        if pod.value["metadata"]["labels"]["component"] == "scheduler" {
            made.insert(row(example, pod));
        }
    }
    assert_eq!(made.iter().map(String::as_str).collect::<BTreeSet<_>>(), rows);
    assert_eq!(rows.len(), 16);
}

/// What does not pass untouched under default settings, and why.
const DEFAULT_VIOLATORS: [(&str, &str); 7] = [
    ("chart/default/admitted/Deployment-airflow-scheduler.json", "injected-token"),
    ("chart/migration-step1/admitted/Deployment-airflow-scheduler.json", "injected-token"),
    ("chart/migration-step2/admitted/Deployment-airflow-scheduler.json", "injected-token"),
    ("chart/x-all-components-kubernetes/admitted/Deployment-airflow-scheduler.json", "injected-token"),
    ("chart/x-executor-local-default/admitted/StatefulSet-airflow-scheduler.json", "injected-token"),
    // The workaround of charts before 1.19 hands the scheduler's token to its neighbours.
    ("chart/x-extravolumemounts-leak/objects/Deployment-airflow-scheduler.json", "declared-token"),
    ("chart/x-extravolumemounts-leak/admitted/Deployment-airflow-scheduler.json", "declared-token"),
];

/// What does not pass untouched under strict settings, beside pods with an injected token, and why.
const STRICT_VIOLATORS: [(&str, &str); 7] = [
    ("chart/x-extravolumemounts-leak/objects/Deployment-airflow-scheduler.json", "declared-token"),
    ("chart/x-extravolumemounts-leak/admitted/Deployment-airflow-scheduler.json", "declared-token"),
    ("task-pods/airflow3/kpo-host-network.json", "host-namespace"),
    ("task-pods-admitted/airflow3/kpo-host-network.json", "host-namespace"),
    ("task-pods/airflow3/kpo-mounts-token-volume-itself.json", "declared-token"),
    ("task-pods-admitted/airflow3/kpo-mounts-token-volume-itself.json", "declared-token"),
    ("task-pods/airflow3/kpo-automount-true.json", "automount-true"),
];

/// Whether the pod names a credential: it is changed, or denied, for that.
fn asks(sample: &Sample) -> bool {
    let annotations = sample.value["metadata"]["annotations"].as_object();
    let key = |key: &String| key == "iam.cloud.google.com/service-account" || key.starts_with("airflow-pod-identity/");
    annotations.into_iter().flatten().any(|(name, _)| key(name))
}

/// The findings of `validate`, and whether either mode changes or denies the object.
fn complaints(sample: &Sample, settings: &Value) -> (BTreeSet<String>, bool) {
    let validate = answer(&sample.request(), settings, "validate");
    let mutate = answer(&sample.request(), settings, "mutate");
    let touched = !validate.accepted || !mutate.accepted || mutate.mutated_object.is_some();
    let ids = told(&validate).into_iter().map(|told| told.id.rsplit('/').next().unwrap_or_default().to_owned());
    (ids.collect(), touched)
}

#[track_caller]
fn assert_violators(expected: &[(&str, &str)], found: &BTreeSet<(String, String)>) {
    let expected: BTreeSet<(String, String)> =
        expected.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect();
    let (stale, alarms): (Vec<_>, Vec<_>) =
        (expected.difference(found).collect(), found.difference(&expected).collect());
    assert!(stale.is_empty() && alarms.is_empty(), "stale: {stale:#?}\nfalse alarms: {alarms:#?}");
}

#[test]
fn under_default_settings_nothing_else_of_the_corpora_is_touched() {
    let Some(samples) = samples() else { return };
    let mut found = BTreeSet::new();
    for sample in samples.iter().filter(|sample| !asks(sample)) {
        let (ids, touched) = complaints(sample, &json!({}));
        found.extend(touched.then(|| (sample.name.clone(), ids.into_iter().collect::<Vec<_>>().join(" "))));
    }
    assert_violators(&DEFAULT_VIOLATORS, &found);
}

/// The strict document with the entries of the executor that an example of the chart runs.
fn strict(example: Option<&str>) -> Value {
    let executor = match example {
        None => "kubernetes-executor",
        Some("kubernetes-executor") => "kubernetes-executor",
        Some("celery-kubernetes-executor") => "celery-kubernetes-executor",
        Some(example) if example.starts_with("x-executor-local") => "local-executor",
        Some(example) if example.starts_with("x-") => "kubernetes-executor",
        Some(_) => "celery-executor",
    };
    let mut settings = load("strict");
    settings["tokenMounts"]["otherPods"] = "NoToken".into();
    let mut entries = load(&format!("components-{executor}"))["tokenMounts"]["components"].clone();
    let entries_of = entries.as_array_mut().expect("entries");
    if !entries_of.iter().any(|entry| entry["name"] == "scheduler") {
        let scheduler = load("components-cleanup")["tokenMounts"]["components"][0].clone();
        assert_eq!(scheduler["name"], "scheduler");
        entries_of.push(scheduler);
    }
    settings["tokenMounts"]["components"] = entries;
    settings
}

#[test]
fn under_strict_settings_nothing_is_touched_that_holds_no_violation() {
    let Some(samples) = samples() else { return };
    let (mut found, mut untouched, mut injected) = (BTreeSet::new(), 0, 0);
    for sample in samples.iter().filter(|sample| !asks(sample)) {
        let settings = strict(sample.example());
        let (ids, touched) = complaints(sample, &settings);
        // Injected where nobody may hold it: every container of every pod that is no component, and a holder's neighbours.
        let may = sample.name.starts_with("chart/").then(|| listed(&settings, &sample.value)).flatten();
        let volumes = sample.value["spec"]["volumes"].as_array().into_iter().flatten();
        let theirs: Vec<&Value> = volumes.filter(|volume| is_injected(volume)).collect();
        let leaks = api_tokens(&sample.value, &OTHER_SERVICES).into_iter().any(|held| {
            theirs.iter().any(|volume| volume["name"] == *held.volume)
                && !may.as_ref().is_some_and(|may| may.contains(&(held.section, held.container.clone())))
        });
        let is_listed = STRICT_VIOLATORS.iter().any(|(name, _)| *name == sample.name);
        if leaks && !is_listed {
            assert!(touched && ids.contains("injected-token"), "{}: {ids:?}", sample.name);
            let others: Vec<_> =
                ids.iter().filter(|id| !["injected-token", "automount-true"].contains(&id.as_str())).collect();
            assert!(others.is_empty(), "{}: {others:?}", sample.name);
            injected += 1;
        } else if touched {
            let ids: Vec<_> = ids.into_iter().filter(|id| !leaks || id != "injected-token").collect();
            found.insert((sample.name.clone(), ids.join(" ")));
        } else {
            untouched += 1;
        }
    }
    assert_violators(&STRICT_VIOLATORS, &found);
    println!("{untouched} untouched, {injected} with an injected token");
    assert!(untouched > 350 && injected > 100, "{untouched}, {injected}");
}
