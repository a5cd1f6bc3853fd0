//! Files, and the program run on them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use e2e_tests::testing::{MODULE_VARIABLE, module};
use tempfile::TempDir;

pub(crate) const SETTINGS: &str = "
mode: mutate
credentials:
  team-a:
    type: gcpServiceAccountKey
    allow: {namespaces: [airflow]}
";

pub(crate) const POLICY: &str = "
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {name: airflow}
spec:
  settings:
    credentials:
      team-a:
        type: gcpServiceAccountKey
        allow: {namespaces: [airflow]}
";

/// A task pod; `{}` is its annotations.
pub(crate) fn task_pod(annotations: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: etl, namespace: airflow, annotations: {annotations}, \
         labels: {{kubernetes_executor: 'True'}}}}, spec: {{containers: [{{name: base, image: airflow}}]}}}}"
    )
}

pub(crate) const OTHER_POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {containers: [{name: web, image: web}]}}";

pub(crate) fn granted() -> String {
    task_pod("{airflow-pod-identity/credentials: team-a}")
}

pub(crate) fn denied() -> String {
    task_pod("{airflow-pod-identity/credentials: ''}")
}

/// A directory with the files that a test needs.
pub(crate) struct Files(pub(crate) TempDir);

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).expect("it can be written");
        }
        Self(directory)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare_command(self.0.path());
        command.args(arguments).env(MODULE_VARIABLE, absolute(&module()));
        command
    }

    pub(crate) fn review(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }
}

pub(crate) fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().expect("the module's path")
}

pub(crate) fn bare_command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_review"));
    command.current_dir(directory).env_remove(MODULE_VARIABLE).stdin(Stdio::null());
    command
}

#[track_caller]
pub(crate) fn stdout(output: &Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "standard error: {errors}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// What is printed on standard error when nothing could be judged: then nothing else is printed.
#[track_caller]
pub(crate) fn error(output: &Output) -> String {
    assert_eq!(stdout(output, 2), "");
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}
