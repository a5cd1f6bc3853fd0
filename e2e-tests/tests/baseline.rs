//! What calls cost, held against e2e-tests/baseline.json: neither instructions nor size grow by more than 3 % unless the
//! baseline is changed in the same commit. Fuel is deterministic, so nothing here is timed. And what a call costs grows in a
//! straight line with what it is sent.
//!
//! `UPDATE_BASELINE=1` writes the baseline, and what docs/performance.md tells and draws of it.

#![cfg(feature = "engine")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use e2e_tests::measured::{Figures, page};
use e2e_tests::testing::{corpora, module, nothing, workspace};

/// How much more than the baseline is let pass.
const MORE: f64 = 1.03;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn updating() -> bool {
    std::env::var_os("UPDATE_BASELINE").is_some()
}

fn found() -> &'static Figures {
    static FOUND: OnceLock<Figures> = OnceLock::new();
    FOUND.get_or_init(|| {
        let bytes = |path: PathBuf| std::fs::read(path).expect("a module");
        Figures::measure(&bytes(module()), &bytes(nothing()), corpora().as_deref()).expect("figures")
    })
}

fn baseline() -> &'static Figures {
    static BASELINE: OnceLock<Figures> = OnceLock::new();
    BASELINE.get_or_init(|| {
        let path = workspace().join("e2e-tests/baseline.json");
        if updating() {
            let mut figures = found().clone();
            if figures.corpora.is_empty() {
                let old: Figures = serde_json::from_str(&read(&path)).expect("the baseline");
                figures.corpora = old.corpora;
            }
            let text = serde_json::to_string_pretty(&figures).expect("JSON") + "\n";
            std::fs::write(&path, text).expect("the baseline is written");
        }
        serde_json::from_str(&read(&path)).expect("the baseline")
    })
}

#[test]
fn nothing_costs_more_than_the_baseline_lets_it() {
    let known: BTreeMap<String, u64> = baseline().costs().collect();
    let mut grown = Vec::new();
    for (name, cost) in found().costs() {
        match known.get(&name) {
            Some(before) if cost as f64 <= *before as f64 * MORE => {}
            Some(before) => grown.push(format!("{name}: {cost}, {before} in the baseline")),
            None => grown.push(format!("{name}: it is not in the baseline")),
        }
    }
    assert!(grown.is_empty(), "{}\nmeant so? UPDATE_BASELINE=1", grown.join("\n"));
}

#[test]
fn every_limit_is_kept() {
    let figures = found();
    let corpora = !figures.corpora.is_empty();
    let limits = figures.limits();
    assert_eq!(limits.len(), if corpora { 9 } else { 6 }, "{limits:#?}");
    let missed: Vec<&str> = limits.iter().filter(|limit| !limit.is_kept()).map(|limit| &*limit.figure).collect();
    assert!(missed.is_empty(), "{limits:#?}");
}

#[test]
fn memory_is_bounded() {
    for row in found().curves.iter().flat_map(|series| &series.rows) {
        assert!(row.bytes > 1_100_000 || row.memory_kib < 8 << 10, "{row:?}");
    }
}

#[test]
fn what_the_page_tells_is_the_baseline() {
    let figures = baseline();
    let (page, chart) = (workspace().join("docs/performance.md"), workspace().join("docs/images/fuel.svg"));
    let old = read(&page);
    let put = |old: &str, name: &str, text: &str| page::replaced(old, name, text).expect("a marked place");
    let new = put(&put(&old, "limits", &figures.limits_table()), "figures", &figures.tables());
    let drawn = figures.chart().expect("a chart");
    if updating() {
        std::fs::write(&page, new).expect("the page is written");
        std::fs::write(&chart, drawn).expect("the chart is written");
    } else {
        assert!(old == new, "docs/performance.md is stale: UPDATE_BASELINE=1");
        assert!(read(&chart) == drawn, "docs/images/fuel.svg is stale: UPDATE_BASELINE=1");
    }
}
