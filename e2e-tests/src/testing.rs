//! What tests need to find: the built module and the corpora.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::host::Policy;

/// Names the module, for tests and for `review`.
pub const MODULE_VARIABLE: &str = "AIRFLOW_POD_IDENTITY_MODULE";

/// Names the module that does nothing.
pub const NOTHING_VARIABLE: &str = "AIRFLOW_POD_IDENTITY_NOTHING";

/// Names the directory of the corpora.
pub const CORPORA_VARIABLE: &str = "AIRFLOW_POD_IDENTITY_CORPORA";

/// The workspace's root.
#[must_use]
pub fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The built module: the one that the environment names, else `policy.wasm` in the workspace's root.
///
/// # Panics
/// When there is none: a test that needs the module must not pass without it.
#[must_use]
pub fn module() -> PathBuf {
    built(MODULE_VARIABLE, "policy.wasm")
}

/// The module that does nothing: the one that the environment names, else `nothing.wasm` in the workspace's root.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn nothing() -> PathBuf {
    built(NOTHING_VARIABLE, "nothing.wasm")
}

fn built(variable: &str, file: &str) -> PathBuf {
    let given = std::env::var_os(variable).map(PathBuf::from);
    let path = given.clone().unwrap_or_else(|| workspace().join(file));
    match given {
        _ if path.is_file() => path,
        Some(_) => panic!("{variable} names {}, which is no file", path.display()),
        None => panic!("there is no {file}: run `make {file}`, or set {variable}"),
    }
}

/// The policy that tests judge with: the built module, compiled once for all tests of a program. Without feature `engine` it
/// is the library as linked, which says as much of the rules and nothing of the module.
///
/// # Panics
/// When there is no module, or when it does not load.
#[must_use]
pub fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(load)
}

#[cfg(feature = "engine")]
fn load() -> Policy {
    let path = module();
    Policy::load(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[cfg(not(feature = "engine"))]
fn load() -> Policy {
    Policy::linked()
}

/// Says that a test is skipped, past the test harness, which keeps what passing tests print to itself.
///
/// # Panics
/// When standard error is closed.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "skipped: {test}: {why}").expect("standard error is open");
}

/// The corpora, where the environment names them; else `None`, and a line that says what was skipped.
///
/// # Panics
/// When the environment names a directory that is not there.
#[must_use]
pub fn corpora() -> Option<PathBuf> {
    let Some(path) = std::env::var_os(CORPORA_VARIABLE).map(PathBuf::from) else {
        skip(&format!("{CORPORA_VARIABLE} is not set"));
        return None;
    };
    assert!(path.is_dir(), "{CORPORA_VARIABLE} names {}, which is no directory", path.display());
    Some(path)
}
