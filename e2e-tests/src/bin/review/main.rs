//! `review`: what would the policy say of these manifests? Nothing needs to be installed for it, no cluster is asked.
//!
//! ```text
//! args ─► settings ─► validate_settings ─► input ─► judge: one call for each object ─► text | machine
//! ```
//!
//! Nothing is printed before everything is judged: an input that can't be used prints an error and nothing else.

mod args;
mod judge;
mod machine;
mod text;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Format};
use crate::judge::Outcome;

fn main() -> ExitCode {
    let args = Args::parse();
    match review(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            let _ = writeln!(io::stderr(), "error: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Judges and prints; the answer is whether everything was allowed.
fn review(args: &Args) -> Result<bool, String> {
    let judged = judge::judge(args)?;
    let report = match args.output {
        Format::Text => text::report(&judged, args.color.is_on()),
        Format::Json => machine::json(&judged),
        Format::Yaml => machine::yaml(&judged),
    };
    print(&report).map_err(|error| format!("standard output: {error}"))?;
    Ok(judged.iter().all(|judged| judged.outcome() != Outcome::Denied))
}

/// Whoever closes the pipe has seen enough: that is no error.
fn print(report: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(report.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
