//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use e2e_tests::diff::Color;

const ABOUT: &str = "\
Shows what the policy airflow-pod-identity says of Kubernetes objects, before anything is installed.

The policy's module runs here as it does in policy-server: each object becomes an admission request and is judged in a fresh \
instance. Printed are the verdict, every finding, the warnings and audit annotations, and as a diff what the policy changes. \
No cluster is contacted and nothing is modified.

FILE is JSON or YAML, `-` is standard input: objects, lists as kubectl prints them, AdmissionRequests or AdmissionReviews, \
in one document or several. A bare object without --user is judged as the audit scanner posts it: conditions on the \
creator count as met, and the audit annotation `not-checked` says so.";

const MORE: &str = "\
Examples:
  What would change in a running cluster?
    kubectl get pods -A -o json | review -

  Try settings, or a policy resource, before installing them:
    review --settings policy.yaml pod.yaml

  A task pod as the scheduler creates it:
    review --user system:serviceaccount:airflow:airflow-scheduler pod.yaml

  The pod templates of a chart:
    helm template airflow apache-airflow/airflow | review -

  An update, judged against the object before it:
    review --old before.yaml after.yaml

  An ephemeral container (kubectl debug):
    review --old pod.yaml --subresource ephemeralcontainers debugged.yaml

  With answers to the policy's lookups:
    review --cluster cluster.yaml --settings policy.yaml pod.yaml
  where cluster.yaml lists what there is; anything else is missing, or denied:
    serviceAccounts:
      - namespace: airflow
        name: airflow-worker
        annotations: {}                          # labels likewise
        automountServiceAccountToken: false
    secrets:
      - {namespace: airflow, name: team-a-gcp, type: Opaque, keys: [key.json]}
    access:
      - user: system:serviceaccount:airflow:airflow-scheduler  # or group:
        namespace: airflow                       # absent: all
        verbs: [create, get, list]               # \"*\": all
        apiGroup: \"\"                             # absent: the core group
        resources: [pods, pods/log]              # \"*\": all
    failures:                                    # lookups that fail
      - {operation: can_i, message: the API server is away}

Exit status:
  0  everything is allowed, changed or not
  1  something is denied
  2  the input, the settings or the module can't be used; no verdict is printed

Environment:
  AIRFLOW_POD_IDENTITY_MODULE
     the module, unless --module names one; without either it is
     annotated-policy.wasm or policy.wasm in the current directory
  NO_COLOR
     no colours, unless --color says otherwise";

/// What the user asked for.
#[derive(Debug, Parser)]
#[command(name = "review", version, about = "Shows what the policy says of Kubernetes objects", long_about = ABOUT, after_long_help = MORE)]
pub(crate) struct Args {
    /// What to judge: JSON or YAML, `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,

    /// The policy's settings, or the ClusterAdmissionPolicy or AdmissionPolicy that carries them [default: no settings]
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,

    /// What the cluster answers to the policy's lookups; without it every lookup fails, as `onLookupError` foresees
    #[arg(long, value_name = "FILE")]
    pub(crate) cluster: Option<PathBuf>,

    /// Who makes the request, such as system:serviceaccount:NAMESPACE:NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// The requester's groups [default: those that follow from the name]
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "user")]
    pub(crate) groups: Option<Vec<String>>,

    /// The operation on bare objects [default: UPDATE with --old, else CREATE]
    #[arg(long, value_name = "OP", ignore_case = true)]
    pub(crate) operation: Option<Operation>,

    /// The objects before an update, found again by kind, namespace and name
    #[arg(long, value_name = "FILE")]
    pub(crate) old: Option<String>,

    /// The subresource, such as ephemeralcontainers
    #[arg(long, value_name = "NAME")]
    pub(crate) subresource: Option<String>,

    /// The namespace of objects that name none [default: airflow]
    #[arg(long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,

    /// Also say how each verdict came about
    #[arg(long)]
    pub(crate) explain: bool,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,

    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// The policy's module [default: see Environment]
    #[arg(long, value_name = "WASM")]
    pub(crate) module: Option<PathBuf>,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// A list with one entry for each object.
    Json,
    /// The same as YAML.
    Yaml,
}

/// An admission operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}
