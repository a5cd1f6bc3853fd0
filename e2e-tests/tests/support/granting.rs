//! Pods that ask for credentials of catalogues, both drawn at random. Who may have what, and where it goes, is told here a
//! second time, from the contract and without the policy's code.

use std::cell::Cell;

use e2e_tests::laws::{Edit, Outcome};
use e2e_tests::request::groups_of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::{catalogues, check, documents, pods, run, trial};

const SKIPPED: [&str; 6] =
    ["airflow-xcom-sidecar", "istio-proxy", "linkerd-proxy", "vault-agent*", "*git-sync*", "cloud-sql-proxy*"];

/// Any document with a catalogue put in. No token volume is added to anything, and no audience is the API server's.
fn settings() -> impl Strategy<Value = Value> {
    let document = prop_oneof![documents::any(), documents::enforcing()];
    let access = select(vec![
        json!({}),
        json!({"failureAction": "Off"}),
        json!({"failureAction": "Audit"}),
        json!({"tokenAudiences": "Enforce"}),
        json!({"tokenAudiences": "Off"}),
    ]);
    (document, catalogues::catalogue(), access).prop_map(|(mut document, catalogue, access)| {
        let mounts = document["tokenMounts"].as_object_mut().expect("a section");
        mounts.remove("audiences");
        mounts.remove("serviceAccountTokenVolume");
        document["credentials"] = catalogue.into();
        document["secretAccess"] = access;
        document
    })
}

#[test]
fn nobody_gets_more_than_was_asked_for_and_may_be_had() {
    let strategy = (settings(), pods::requester()).prop_flat_map(|(settings, requester)| {
        let names = settings["credentials"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        (pods::asking(catalogues::annotations(names)), Just(requester), Just(settings))
    });
    let gained = Cell::new(0);
    let tally = run(&strategy, |(pod, requester, settings)| {
        let outcome = check(&trial(&pod, requester.as_deref(), &settings))?;
        if let Some(result) = &outcome.result {
            let json = |text: &str| serde_json::from_str(text).map_err(|error| format!("{error}: {text}"));
            let (pod, result): (Value, Value) = (json(&pod)?, json(result)?);
            named_once(&pod, &result)?;
            let asked = Asked { pod: &pod, requester: requester.as_deref(), settings: &settings };
            gained.set(gained.get() + asked.holds(&outcome)?);
        }
        Ok(outcome)
    });
    println!("{} env variables, mounts and volumes gained", gained.get());
    let least = tally.changed.get().min(tally.untouched.get()).min(tally.denied.get());
    assert!(least > 10 && gained.get() > 100, "{tally:?}, {gained:?}");
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().filter_map(Value::as_str).collect()
}

/// What stands there twice in a list after the policy stood there twice before.
fn named_once(before: &Value, after: &Value) -> Result<(), String> {
    let twice = |items: &[Value], key: &str| -> Vec<String> {
        let mut found: Vec<String> = items.iter().filter_map(|item| item[key].as_str().map(str::to_owned)).collect();
        found.sort_unstable();
        found.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect()
    };
    let (before, after) = (&before["spec"], &after["spec"]);
    if twice(list(&after["volumes"]), "name") != twice(list(&before["volumes"]), "name") {
        return Err(format!("a volume's name stands there twice: {after}"));
    }
    for section in ["initContainers", "containers"] {
        for (old, new) in list(&before[section]).iter().zip(list(&after[section])) {
            if twice(list(&new["env"]), "name") != twice(list(&old["env"]), "name") {
                return Err(format!("an env variable stands there twice: {new}"));
            }
            let added = list(&new["volumeMounts"]).iter().filter(|mount| !list(&old["volumeMounts"]).contains(mount));
            for mount in added {
                let same = |other: &&Value| other["mountPath"] == mount["mountPath"];
                if list(&new["volumeMounts"]).iter().filter(same).count() > 1 {
                    return Err(format!("two mounts at {mount}: {new}"));
                }
            }
        }
    }
    Ok(())
}

/// A text with `*` and `?`.
fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match (rest.next(), text.chars().next()) {
        (None, first) => first.is_none(),
        (Some('*'), _) => {
            let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            starts.into_iter().any(|at| like(rest.as_str(), &text[at..]))
        }
        (Some('?'), Some(first)) => like(rest.as_str(), &text[first.len_utf8()..]),
        (Some(wanted), Some(first)) => wanted == first && like(rest.as_str(), &text[first.len_utf8()..]),
        (Some(_), None) => false,
    }
}

struct Asked<'t> {
    pod: &'t Value,
    requester: Option<&'t str>,
    settings: &'t Value,
}

impl Asked<'_> {
    fn annotation(&self, key: &str) -> Option<&str> {
        self.pod["metadata"]["annotations"][key].as_str()
    }

    /// Every change that adds something adds it for a credential that was asked for and may be had, and puts it where
    /// it was asked to go. How many did.
    fn holds(&self, outcome: &Outcome) -> Result<u32, String> {
        let targets = self.targets();
        let (secrets, audiences) = self.admitted();
        let secret = |secret: &str| match secrets.iter().any(|known| known == secret) {
            true => Ok(1),
            false => Err(format!("Secret {secret} is none of {secrets:?}")),
        };
        let mut gained = 0;
        for edit in &outcome.edits {
            gained += match edit {
                Edit::Env(container, ..) | Edit::SecretEnv(container, ..) | Edit::Mount(container, ..)
                    if !targets.contains(container) =>
                {
                    return Err(format!("{edit:?}, but asked for: {targets:?}"));
                }
                Edit::SecretEnv(_, _, name, _) => secret(name)?,
                Edit::Env(..) | Edit::Mount(..) => 1,
                Edit::Volume(volume) if volume["secret"].is_object() => {
                    secret(volume["secret"]["secretName"].as_str().unwrap_or_default())?
                }
                Edit::Volume(volume) => {
                    let audience = &volume["projected"]["sources"][0]["serviceAccountToken"]["audience"];
                    if !audiences.iter().any(|known| audience == known) {
                        return Err(format!("audience {audience} is none of {audiences:?}"));
                    }
                    1
                }
                _ => 0,
            };
        }
        Ok(gained)
    }

    /// Secrets and audiences of the credentials that the pod names and may have.
    fn admitted(&self) -> (Vec<String>, Vec<String>) {
        let listed = self.annotation("airflow-pod-identity/credentials").unwrap_or_default();
        let google = self.annotation("iam.cloud.google.com/service-account");
        let (mut secrets, mut audiences) = (Vec::new(), Vec::new());
        for name in listed.split(',').map(|name| name.trim_matches(' ')).chain(google) {
            let fields = &self.settings["credentials"][name];
            if fields.is_object() && self.admits(&fields["allow"]) {
                secrets.push(fields["secretName"].as_str().unwrap_or(name).to_owned());
                let provider = fields["audience"].as_str();
                let own = match fields["type"].as_str().unwrap_or_default() {
                    "gcpWorkloadIdentity" => fields["tokenAudience"].as_str().or(provider),
                    "awsWebIdentity" => provider.or(Some("sts.amazonaws.com")),
                    "awsPodIdentity" => Some("pods.eks.amazonaws.com"),
                    "azureWorkloadIdentity" => Some("api://AzureADTokenExchange"),
                    "vaultToken" => provider.or(Some("vault")),
                    "custom" => fields["token"]["audience"].as_str(),
                    _ => None,
                };
                audiences.extend(own.map(str::to_owned));
            }
        }
        if self.settings["credentialInjection"]["uncatalogued"] == "Allow" {
            secrets.extend(google.filter(|name| self.settings["credentials"].get(name).is_none()).map(str::to_owned));
        }
        (secrets, audiences)
    }

    fn admits(&self, allow: &Value) -> bool {
        let any = |key: &str, text: &str| texts(&allow[key]).iter().any(|pattern| like(pattern, text));
        let spec = &self.pod["spec"];
        let accounts = ["serviceAccountName", "serviceAccount"].map(|key| spec[key].as_str().unwrap_or_default());
        let account = accounts.into_iter().find(|name| !name.is_empty()).unwrap_or("default");
        let account = format!("airflow/{account}");
        let requested = |user: &str| {
            texts(&allow["requesters"]).iter().any(|pattern| match pattern.strip_prefix("group:") {
                Some(group) => groups_of(user).iter().any(|held| like(group, held)),
                None => like(pattern, user),
            })
        };
        let dag = self.pod["metadata"]["labels"]["dag_id"].as_str();
        any("namespaces", "airflow")
            && (allow["serviceAccounts"].is_null() || any("serviceAccounts", &account))
            && (allow["requesters"].is_null() || self.requester.is_none_or(requested))
            && (allow["dagIds"].is_null() || dag.is_some_and(|dag| any("dagIds", dag)))
    }

    /// The containers that may gain something, as edits call them.
    fn targets(&self) -> Vec<String> {
        let injection = &self.settings["credentialInjection"];
        let given = injection["skipContainers"].is_array();
        let skipped = if given { texts(&injection["skipContainers"]) } else { SKIPPED.to_vec() };
        let spec = &self.pod["spec"];
        let all = |section: &'static str| list(&spec[section]).iter().map(move |found| (section, name(found)));
        let meant = |(_, name): &(&str, &str)| !skipped.iter().any(|pattern| like(pattern, name));
        let init = || all("initContainers").filter(|_| injection["initContainers"] == true).filter(meant);
        let normal = || all("containers").filter(meant);
        let found: Vec<(&str, &str)> = match self.annotation("airflow-pod-identity/containers") {
            Some("*") => normal().chain(init()).collect(),
            Some(names) => {
                let names: Vec<&str> = names.split(',').map(|name| name.trim_matches(' ')).collect();
                all("containers").chain(all("initContainers")).filter(|(_, name)| names.contains(name)).collect()
            }
            None => normal().find(|(_, name)| *name == "base").or(normal().next()).into_iter().chain(init()).collect(),
        };
        found.into_iter().map(|(section, name)| format!("{section}/{name}")).collect()
    }
}
