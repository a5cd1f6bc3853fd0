//! The figures that differ by machine: wall times, as criterion estimated them.

use std::path::Path;

use serde::Deserialize;

use super::chart::{self, Line, Panel};
use super::{Call, Curve, calls, curves, page};

/// Criterion's group of the fixed set; that of a curve is called as the curve is.
pub const CALLS: &str = "calls";
/// Criterion's group of what comes before a call.
pub const MODULE: &str = "module";
/// Compiling the module, once when the policy server starts.
pub const COMPILE: &str = "compile";
/// Making an instance and starting it, for each call.
pub const INSTANTIATE: &str = "instantiate";

/// What answers the calls whose time is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// The policy's module, a fresh instance for each call.
    Policy,
    /// A module that does nothing, likewise.
    Nothing,
    /// The policy's library, natively.
    Native,
}

impl Judge {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Policy, Self::Nothing, Self::Native];

    /// What criterion calls it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Nothing => "nothing",
            Self::Native => "native",
        }
    }
}

/// Medians, in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    compile: f64,
    instantiate: f64,
    calls: Vec<Timed>,
    curves: Vec<(&'static str, Vec<Timed>)>,
}

/// A call's times, in the order of [`Judge::ALL`].
#[derive(Debug, Clone, PartialEq)]
struct Timed {
    name: String,
    times: [f64; 3],
}

impl Times {
    /// Reads what criterion left in its folder, `target/criterion`.
    ///
    /// # Errors
    /// When a time is missing.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let of_curve = |curve: Curve| Ok((curve.name, timed(&folder.join(curve.name), curve.points)?));
        Ok(Self {
            compile: median(&folder.join(MODULE).join(COMPILE))?,
            instantiate: median(&folder.join(MODULE).join(INSTANTIATE))?,
            calls: timed(&folder.join(CALLS), calls())?,
            curves: curves().into_iter().map(of_curve).collect::<Result<_, String>>()?,
        })
    }

    /// The times as tables in Markdown.
    #[must_use]
    pub fn tables(&self) -> String {
        let micro = |nanoseconds: f64| match nanoseconds / 1e3 {
            micro if micro < 100.0 => format!("{micro:.1}"),
            micro => page::grouped(micro.round() as u64),
        };
        let table = |name: &str, rows: &[Timed]| {
            let cells = |row: &Timed| [row.name.clone()].into_iter().chain(row.times.map(micro)).collect();
            page::table(&[name, "policy, µs", "does nothing, µs", "native, µs"], rows.iter().map(cells).collect())
        };
        let before = vec![
            vec!["compile the module, once".to_owned(), micro(self.compile)],
            vec!["make an instance and start it, for each call".to_owned(), micro(self.instantiate)],
        ];
        let mut tables = vec![page::table(&["before a call", "µs"], before), table("call", &self.calls)];
        tables.extend(self.curves.iter().map(|(name, rows)| table(name, rows)));
        tables.join("\n")
    }

    /// The curves, drawn: an SVG document.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub fn chart(&self) -> Result<String, String> {
        let panel = |(name, rows): &(&'static str, Vec<Timed>)| {
            let line = |name: &'static str, colour, judge: Judge| {
                let point = |row: &Timed| Some((row.name.parse().ok()?, row.times[judge as usize] / 1e3));
                Line { name, colour, points: rows.iter().filter_map(point).collect() }
            };
            let lines = vec![
                line("policy", chart::BLUE, Judge::Policy),
                line("module that does nothing", chart::GREEN, Judge::Nothing),
                line("the policy's native code", chart::ORANGE, Judge::Native),
            ];
            Panel { x: (*name).to_owned(), y: "wall time, µs", lines }
        };
        let panels: Vec<Panel> = self.curves.iter().map(panel).collect();
        chart::draw("Wall time of one call", &panels)
    }
}

fn timed(group: &Path, calls: Vec<Call>) -> Result<Vec<Timed>, String> {
    let timed = |Call { name, .. }: Call| {
        let [policy, nothing, native] = Judge::ALL.map(|judge| median(&group.join(judge.id()).join(&name)));
        Ok(Timed { times: [policy?, nothing?, native?], name })
    };
    calls.into_iter().map(timed).collect()
}

fn median(folder: &Path) -> Result<f64, String> {
    #[derive(Deserialize)]
    struct Estimates {
        median: Estimate,
    }
    #[derive(Deserialize)]
    struct Estimate {
        point_estimate: f64,
    }
    let path = folder.join("new/estimates.json");
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read(&path).map_err(|error| fail(&error))?;
    let estimates: Estimates = serde_json::from_slice(&text).map_err(|error| fail(&error))?;
    Ok(estimates.median.point_estimate)
}
