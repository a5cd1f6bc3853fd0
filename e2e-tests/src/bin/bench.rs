//! `bench`: what one call of the module costs: for given objects, or for everything that is measured.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use e2e_tests::documents;
use e2e_tests::fuel::Meter;
use e2e_tests::measured::{Figures, SCHEDULER, Times, created, page};
use e2e_tests::ordered::Ordered;
use e2e_tests::settings;
use e2e_tests::testing::workspace;
use serde_json::{Value, json};

/// Counts the instructions (wasmtime fuel) and the memory of fresh calls of `validate`.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Args {
    /// The policy's module
    module: PathBuf,

    /// Objects to measure, one a file [default: the pods under examples/pods]
    files: Vec<PathBuf>,

    /// The policy's settings [default: none]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// Who creates the objects
    #[arg(long, value_name = "NAME", default_value = SCHEDULER)]
    user: String,

    /// A module that does nothing: measures the fixed set and the growth beside it
    #[arg(long, value_name = "FILE")]
    nothing: Option<PathBuf>,

    /// The directory of the corpora, whose limits are shown too
    #[arg(long, value_name = "DIR", requires = "nothing")]
    corpora: Option<PathBuf>,

    /// Where criterion left the wall times: target/criterion
    #[arg(long, value_name = "DIR")]
    times: Option<PathBuf>,

    /// Writes the wall times into docs/performance.md
    #[arg(long, requires = "times")]
    write: bool,
}

fn main() -> ExitCode {
    let written = bench(&Args::parse()).map(|table| io::stdout().write_all(table.as_bytes()));
    match written {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&format!("standard output: {error}")),
        Err(problem) => fail(&problem),
    }
}

fn fail(problem: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {problem}");
    ExitCode::from(2)
}

fn bench(args: &Args) -> Result<String, String> {
    let module = read(&args.module)?;
    let mut text = format!("module: {} bytes\n", page::grouped(module.len() as u64));
    if let Some(nothing) = &args.nothing {
        let figures = Figures::measure(&module, &read(nothing)?, args.corpora.as_deref())?;
        text.push_str(&format!("\n{}\n{}", figures.limits_table(), figures.tables()));
    }
    if let Some(folder) = &args.times {
        let times = Times::read(folder)?;
        text.push_str(&format!("\n{}", times.tables()));
        if args.write {
            write(&times)?;
        }
    }
    text.push_str(&format!("\n{}", objects(args, &module)?));
    Ok(text)
}

/// What each of the objects costs.
fn objects(args: &Args, module: &[u8]) -> Result<String, String> {
    let meter = Meter::new(module).map_err(|error| named(&args.module, &error))?;
    let settings = match &args.settings {
        Some(file) => settings::load(file).map_err(|error| error.to_string())?,
        None => json!({}),
    };
    let files = if args.files.is_empty() { examples()? } else { args.files.clone() };
    let row = |path: &PathBuf| {
        let payload = payload(path, &args.user, &settings)?;
        let measured = meter.measure(&payload).map_err(|error| named(path, &error))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(vec![name, page::grouped(measured.fuel), (measured.memory_bytes / 1024).to_string()])
    };
    let rows = files.iter().map(row).collect::<Result<_, String>>()?;
    Ok(page::table(&["object", "fuel", "memory, KiB"], rows))
}

/// Writes the wall times into the documentation.
fn write(times: &Times) -> Result<(), String> {
    let path = workspace().join("docs/performance.md");
    let old = String::from_utf8(read(&path)?).map_err(|error| named(&path, &error))?;
    let new =
        page::replaced(&old, "times", &times.tables()).ok_or_else(|| named(&path, &"it has no place for times"))?;
    std::fs::write(&path, new).map_err(|error| named(&path, &error))?;
    let path = workspace().join("docs/images/times.svg");
    std::fs::write(&path, times.chart()?).map_err(|error| named(&path, &error))
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| named(path, &error))
}

fn examples() -> Result<Vec<PathBuf>, String> {
    let directory = Path::new("examples/pods");
    let fail = |error: io::Error| format!("{}: {error}", directory.display());
    let entries = std::fs::read_dir(directory).map_err(fail)?;
    let mut files =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(fail)?;
    files
        .retain(|path| path.extension().is_some_and(|name| ["yaml", "yml", "json"].iter().any(|known| name == *known)));
    files.sort();
    if files.is_empty() { Err(format!("{}: there are no pods", directory.display())) } else { Ok(files) }
}

/// The payload of an object's creation, with its keys in the order of the file.
fn payload(path: &Path, user: &str, settings: &Value) -> Result<Vec<u8>, String> {
    let name = path.display();
    let documents = documents::parse::<Ordered>(&read(path)?).map_err(|error| format!("{name}:{error}"))?;
    let object = documents.into_iter().next().ok_or_else(|| format!("{name}: it is empty"))?.value;
    created(&object, user, settings).map_err(|error| format!("{name}: {error}"))
}
