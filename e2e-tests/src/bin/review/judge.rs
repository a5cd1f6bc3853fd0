//! Asks the module about every object.

use std::path::PathBuf;

use e2e_tests::cluster::{Cluster, Fixture, NoCluster};
use e2e_tests::host::{self, Policy};
use e2e_tests::input::{self, Circumstances, Item};
use e2e_tests::settings;
use e2e_tests::testing::MODULE_VARIABLE;
use e2e_tests::verdict::Verdict;
use serde_json::{Value, json};

use crate::args::Args;

/// An object with its verdict.
pub(crate) struct Judged {
    pub(crate) item: Item,
    pub(crate) verdict: Verdict,
    /// How the verdict came about, where that was asked for.
    pub(crate) explanation: Option<Vec<String>>,
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Allowed,
    Changed,
    Denied,
}

impl Judged {
    pub(crate) fn outcome(&self) -> Outcome {
        match (self.verdict.accepted, self.changed()) {
            (false, _) => Outcome::Denied,
            (true, Some(_)) => Outcome::Changed,
            (true, None) => Outcome::Allowed,
        }
    }

    /// The object as the policy wants it, where that is not as it is.
    pub(crate) fn changed(&self) -> Option<&Value> {
        self.verdict.changed(&self.item.request["object"])
    }

    pub(crate) fn kind(&self) -> &str {
        let kind = self.item.request["kind"]["kind"].as_str();
        kind.or(self.item.object()["kind"].as_str()).unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.item.request["namespace"].as_str().unwrap_or_default()
    }

    /// The name; for a pod that gets its name later, the beginning of it and a star. May be empty.
    pub(crate) fn name(&self) -> String {
        let metadata = &self.item.object()["metadata"];
        let given = |name: &Value| name.as_str().filter(|name| !name.is_empty()).map(str::to_owned);
        given(&metadata["name"])
            .or_else(|| given(&metadata["generateName"]).map(|name| format!("{name}*")))
            .or_else(|| given(&self.item.request["name"]))
            .unwrap_or_default()
    }
}

/// Judges everything that the arguments name, in their order.
pub(crate) fn judge(args: &Args) -> Result<Vec<Judged>, String> {
    let settings = match &args.settings {
        Some(file) => settings::load(file).map_err(|error| error.to_string())?,
        None => json!({}),
    };
    let fixture = match &args.cluster {
        Some(file) => Some(Fixture::load(file).map_err(|error| error.to_string())?),
        None => None,
    };
    let cluster: &dyn Cluster = fixture.as_ref().map_or(&NoCluster, |fixture| fixture);
    let items = input::read(&args.files, &circumstances(args)?).map_err(|error| error.to_string())?;
    let path = module(args.module.clone())?;
    let policy = Policy::load(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    check_settings(&policy, &settings)?;
    items.into_iter().map(|item| judge_one(args, &policy, &settings, cluster, item)).collect()
}

fn judge_one(
    args: &Args,
    policy: &Policy,
    settings: &Value,
    cluster: &dyn Cluster,
    item: Item,
) -> Result<Judged, String> {
    let payload = host::payload(&item.request, settings);
    let verdict = policy.validate_payload(&payload, cluster).map_err(|error| format!("{}: {error}", item.origin))?;
    let explanation = args.explain.then(|| airflow_pod_identity::explain(&payload));
    Ok(Judged { item, verdict, explanation })
}

fn circumstances(args: &Args) -> Result<Circumstances, String> {
    if args.old.as_deref() == Some("-") && args.files.iter().any(|file| file == "-") {
        return Err("-: standard input can be read only once".to_owned());
    }
    let old = match &args.old {
        Some(file) => Some(input::objects(file).map_err(|error| error.to_string())?),
        None => None,
    };
    Ok(Circumstances {
        user: args.user.clone(),
        groups: args.groups.clone(),
        operation: args.operation.map(|operation| operation.name().to_owned()),
        old: old.map(|objects| objects.into_iter().map(|(_, object)| object).collect()),
        subresource: args.subresource.clone(),
        namespace: args.namespace.clone(),
    })
}

/// Policy-server refuses to start with settings that the policy does not accept; so does this.
fn check_settings(policy: &Policy, settings: &Value) -> Result<(), String> {
    let verdict = policy.validate_settings(settings).map_err(|error| format!("settings: {error}"))?;
    if verdict.valid {
        return Ok(());
    }
    let message = verdict.message.unwrap_or_else(|| "the policy does not say why".to_owned());
    Err(format!("the settings are not valid:\n{message}"))
}

fn module(given: Option<PathBuf>) -> Result<PathBuf, String> {
    let named = given.or_else(|| std::env::var_os(MODULE_VARIABLE).map(PathBuf::from));
    let built = || ["annotated-policy.wasm", "policy.wasm"].map(PathBuf::from);
    named.or_else(|| built().into_iter().find(|path| path.is_file())).ok_or_else(|| {
        format!(
            "there is no annotated-policy.wasm or policy.wasm in the current directory: run `make policy.wasm`, \
             or name the module with --module or {MODULE_VARIABLE}"
        )
    })
}
