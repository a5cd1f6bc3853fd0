//! `bench`: what one call of the module costs, for a set of objects.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use e2e_tests::documents;
use e2e_tests::fuel::Meter;
use e2e_tests::host;
use e2e_tests::ordered::{Ordered, ordered_request};
use e2e_tests::request::Request;
use e2e_tests::settings;
use serde_json::{Value, json};

/// The launcher of task pods.
const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";

/// The creator of a component's pods.
const CONTROLLER: &str = "system:serviceaccount:kube-system:replicaset-controller";

/// Files of the corpora that are always measured, and who creates them.
const CORPUS: [(&str, &str); 3] = [
    ("task-pods-admitted/airflow3/ke-annotation-team-a.json", SCHEDULER),
    ("task-pods-admitted/airflow3/ke-plain.json", SCHEDULER),
    ("chart/manual-token-volume/admitted/Deployment-airflow-scheduler.json", CONTROLLER),
];

/// Counts the instructions (wasmtime fuel) and the memory of one fresh call of `validate`.
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

    /// The directory of the corpora, some of whose objects are measured too
    #[arg(long, value_name = "DIR")]
    corpora: Option<PathBuf>,
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
    let named = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let module = std::fs::read(&args.module).map_err(|error| named(&args.module, &error))?;
    let meter = Meter::new(&module).map_err(|error| named(&args.module, &error))?;
    let settings = match &args.settings {
        Some(file) => settings::load(file).map_err(|error| error.to_string())?,
        None => json!({}),
    };
    let objects = objects(args)?;
    let width = objects.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    let mut table = format!("module: {} KiB\n\n{:width$}  {:>12}  {:>6}\n", module.len() / 1024, "name", "fuel", "KiB");
    for (name, path, user) in objects {
        let payload = payload(&path, &user, &settings)?;
        let measured = meter.measure(&payload).map_err(|error| named(&path, &error))?;
        let (fuel, memory) = (grouped(measured.fuel), measured.memory_bytes / 1024);
        table.push_str(&format!("{name:width$}  {fuel:>12}  {memory:>6}\n"));
    }
    Ok(table)
}

/// Name, file and creator of everything that is to be measured.
fn objects(args: &Args) -> Result<Vec<(String, PathBuf, String)>, String> {
    let files = if args.files.is_empty() { examples()? } else { args.files.clone() };
    let name = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut objects: Vec<_> = files.into_iter().map(|path| (name(&path), path, args.user.clone())).collect();
    if let Some(corpora) = &args.corpora {
        let corpus = CORPUS.map(|(file, user)| (file.to_owned(), corpora.join(file), user.to_owned()));
        objects.extend(corpus);
    }
    Ok(objects)
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
    let bytes = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    let documents = documents::parse::<Ordered>(&bytes).map_err(|error| format!("{name}:{error}"))?;
    let object = documents.into_iter().next().ok_or_else(|| format!("{name}: it is empty"))?.value;
    let tree = serde_json::to_value(&object).map_err(|error| format!("{name}: {error}"))?;
    let request = Request::create(tree).user(user).build();
    Ok(host::payload(&ordered_request(&request, object), settings))
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
