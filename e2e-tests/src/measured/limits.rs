//! The limits that are kept.

use super::corpora::{ISOLATED, OTHERS, TASK};
use super::{Figures, page};

/// A limit, and what is reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What is limited.
    pub figure: String,
    /// The most that it may be.
    pub most: f64,
    /// What it is.
    pub reached: f64,
    /// What prints it.
    pub command: &'static str,
}

impl Limit {
    /// Whether it is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.reached <= self.most
    }
}

impl Figures {
    /// The limits; those of pods of the corpora only where these were at hand.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        let fuel = |names: [&'static str; 3]| names.into_iter().zip([320_000.0, 260_000.0, 120_000.0]);
        let own = [
            "task pod, a credential injected, its token taken",
            "task pod, isolated already",
            "another application's pod",
        ];
        let of_call = |(name, most): (&str, f64)| {
            let row = self.calls.iter().chain(&self.corpora).find(|row| row.name == name)?;
            Some(Limit { figure: format!("fuel: {name}"), most, reached: row.fuel as f64, command: "make bench" })
        };
        let steps = self.curves.iter().flat_map(|series| series.shares());
        let mut limits: Vec<Limit> = fuel([TASK, ISOLATED, OTHERS]).chain(fuel(own)).filter_map(of_call).collect();
        limits.push(Limit {
            figure: "bytes of the module".to_owned(),
            most: 400_000.0,
            reached: self.module_bytes as f64,
            command: "wc -c policy.wasm",
        });
        limits.push(Limit {
            figure: "highest step of a growth curve, of the line through its ends".to_owned(),
            most: 1.1,
            reached: steps.fold(0.0, f64::max),
            command: "make bench",
        });
        limits.push(Limit {
            figure: "catalogue of 10,000, of passing over it".to_owned(),
            most: 1.3,
            reached: self.catalogue as f64 / self.catalogue_skipped as f64,
            command: "make bench",
        });
        limits
    }

    /// The limits as a table in Markdown.
    #[must_use]
    pub fn limits_table(&self) -> String {
        let number = |number: f64| {
            if number < 100.0 { format!("{number:.3}") } else { page::grouped(number as u64) }
        };
        let cells = |limit: Limit| {
            let kept = if limit.is_kept() { "yes" } else { "no" };
            let (most, reached) = (number(limit.most), number(limit.reached));
            vec![limit.figure, most, reached, kept.to_owned(), format!("`{}`", limit.command)]
        };
        page::table(
            &["figure", "limit", "reached", "kept", "printed by"],
            self.limits().into_iter().map(cells).collect(),
        )
    }
}
