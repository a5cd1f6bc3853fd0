//! The figures that are the same on every machine: instructions, memory and size.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::catalogue::{self, Catalogue};
use super::chart::{self, Line, Panel};
use super::{Call, calls, corpora, curves, page};
use crate::fuel::Meter;

/// How many credentials the catalogue holds that is compared with passing over it.
const MANY: usize = 10_000;

/// What everything costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The size of the module.
    pub module_bytes: u64,
    /// The instructions that a catalogue of 10,000 takes, of a pod without references to Secrets.
    pub catalogue: u64,
    /// The instructions that passing over it takes.
    pub catalogue_skipped: u64,
    /// The fixed set.
    pub calls: Vec<Row>,
    /// Growth.
    pub curves: Vec<Series>,
    /// Pods of the corpora; none where these are not at hand.
    pub corpora: Vec<Row>,
}

/// What one call costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The call's name.
    pub name: String,
    /// The size of what is sent.
    pub bytes: usize,
    /// The policy's instructions.
    pub fuel: u64,
    /// The instructions of a module that does nothing.
    pub nothing: u64,
    /// The policy's linear memory after the call.
    pub memory_kib: usize,
}

/// What the calls of a curve cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// What is counted.
    pub name: String,
    /// The calls, from the smallest to the largest.
    pub rows: Vec<Row>,
}

impl Figures {
    /// Measures the policy's module beside one that does nothing.
    ///
    /// # Errors
    /// When a module does not compile, a call fails, or a pod of the corpora can't be read.
    pub fn measure(module: &[u8], nothing: &[u8], corpora: Option<&Path>) -> Result<Self, String> {
        let meter = |bytes| Meter::new(bytes).map_err(|error| error.to_string());
        let (module_bytes, module, nothing) = (module.len() as u64, meter(module)?, meter(nothing)?);
        let rows = |calls: Vec<Call>| calls.iter().map(|call| row(&module, &nothing, call)).collect::<Result<_, _>>();
        let of_curves = |curve: super::Curve| Ok(Series { name: curve.name.to_owned(), rows: rows(curve.points)? });
        let catalogue = Catalogue::new(&module, MANY).map_err(|error| error.to_string())?;
        Ok(Self {
            module_bytes,
            catalogue: catalogue.cost(&catalogue::pod()).map_err(|error| error.to_string())?.1,
            catalogue_skipped: catalogue.skip,
            calls: rows(calls())?,
            curves: curves().into_iter().map(of_curves).collect::<Result<_, String>>()?,
            corpora: corpora.map_or(Ok(Vec::new()), |folder| rows(corpora::calls(folder, &module)?))?,
        })
    }

    /// Everything that may not grow, by name: the module's size, and the instructions of each call.
    pub fn costs(&self) -> impl Iterator<Item = (String, u64)> {
        let fuel = |row: &Row| (row.name.clone(), row.fuel);
        let of_curve = move |series: &Series| {
            series.rows.iter().map(|row| (format!("{}: {}", series.name, row.name), row.fuel)).collect::<Vec<_>>()
        };
        let size = ("bytes of the module".to_owned(), self.module_bytes);
        let catalogue = ("a catalogue of 10,000".to_owned(), self.catalogue);
        let calls = self.calls.iter().chain(&self.corpora).map(fuel);
        [size, catalogue].into_iter().chain(calls).chain(self.curves.iter().flat_map(of_curve))
    }

    /// The tables of calls and of growth, in Markdown.
    #[must_use]
    pub fn tables(&self) -> String {
        let cells = |row: &Row| row.cells().to_vec();
        let calls = self.calls.iter().chain(&self.corpora).map(cells).collect();
        let mut text = page::table(&["call", "bytes", "fuel", "does nothing", "memory, KiB"], calls);
        for series in &self.curves {
            let cells = |(row, share): (&Row, f64)| {
                let mut cells = cells(row);
                cells.insert(3, format!("{share:.2}"));
                cells
            };
            let rows = series.rows.iter().zip(series.shares()).map(cells).collect();
            text.push('\n');
            let head = [&*series.name, "bytes", "fuel", "of the line", "does nothing", "memory, KiB"];
            text.push_str(&page::table(&head, rows));
        }
        text
    }

    /// The curves, drawn: an SVG document.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub fn chart(&self) -> Result<String, String> {
        let panel = |series: &Series| {
            let points = |cost: fn(&Row) -> u64| {
                let point = |row: &Row| Some((row.name.parse().ok()?, cost(row) as f64));
                series.rows.iter().filter_map(point).collect::<Vec<_>>()
            };
            let policy = points(|row| row.fuel);
            let ends = policy.first().into_iter().chain(policy.last()).copied().collect();
            Panel {
                x: series.name.clone(),
                y: "fuel (instructions)",
                lines: vec![
                    Line { name: "the line through its ends", colour: chart::GREY, points: ends },
                    Line { name: "policy", colour: chart::BLUE, points: policy },
                    Line { name: "module that does nothing", colour: chart::GREEN, points: points(|row| row.nothing) },
                ],
            }
        };
        let panels: Vec<Panel> = self.curves.iter().map(panel).collect();
        chart::draw("Instructions of one call", &panels)
    }
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let grouped = |number: usize| page::grouped(number as u64);
        let (fuel, nothing) = (page::grouped(self.fuel), page::grouped(self.nothing));
        [self.name.clone(), grouped(self.bytes), fuel, nothing, grouped(self.memory_kib)]
    }
}

impl Series {
    /// What each call costs, of what the straight line through the ends of the curve says for its size.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else { return Vec::new() };
        let slope = (last.fuel as f64 - first.fuel as f64) / (last.bytes as f64 - first.bytes as f64);
        let line = |row: &Row| first.fuel as f64 + slope * (row.bytes as f64 - first.bytes as f64);
        self.rows.iter().map(|row| row.fuel as f64 / line(row)).collect()
    }
}

fn row(module: &Meter, nothing: &Meter, call: &Call) -> Result<Row, String> {
    let measure = |meter: &Meter| meter.measure(&call.payload).map_err(|error| format!("{}: {error}", call.name));
    let (policy, nothing) = (measure(module)?, measure(nothing)?);
    Ok(Row {
        name: call.name.clone(),
        bytes: call.payload.len(),
        fuel: policy.fuel,
        nothing: nothing.fuel,
        memory_kib: policy.memory_bytes / 1024,
    })
}
