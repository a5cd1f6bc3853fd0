//! Settings documents, all of them valid.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Any document.
pub fn any() -> impl Strategy<Value = Value> {
    let actions = (
        option::weighted(0.3, select(vec!["Enforce", "Audit"])),
        option::weighted(0.2, select(vec![json!("Enforce"), json!("Audit"), json!("Off"), json!(false)])),
        option::weighted(0.2, select(vec!["Enforce", "Audit", "Off"])),
    );
    let lists = (some_of(overrides()), some_of(exceptions()));
    (token_mounts(), credentials(), injection(), actions, lists).prop_map(
        |(mut mounts, credentials, mut injection, (global, own, of_credentials), (overrides, exceptions))| {
            insert(&mut mounts, "failureAction", own);
            insert(&mut injection, "failureAction", of_credentials.map(Value::from));
            let mut document = json!({"tokenMounts": mounts, "credentialInjection": injection});
            let fields = document.as_object_mut().expect("an object");
            insert(fields, "failureAction", global.map(Value::from));
            insert(fields, "credentials", credentials);
            insert(fields, "failureActionOverrides", Some(overrides.into()));
            insert(fields, "exceptions", Some(exceptions.into()));
            document
        },
    )
}

/// A document under which every rule enforces for every pod.
pub fn enforcing() -> impl Strategy<Value = Value> {
    (token_mounts(), credentials(), injection()).prop_map(|(mut mounts, credentials, injection)| {
        mounts.insert("airflowPods".to_owned(), "Enforce".into());
        mounts.insert("otherPods".to_owned(), "NoToken".into());
        mounts.remove("components");
        let mut document = json!({"tokenMounts": mounts, "credentialInjection": injection});
        insert(document.as_object_mut().expect("an object"), "credentials", credentials);
        document
    })
}

/// The audiences that a document takes for another service's.
pub fn other_services(settings: &Value) -> Vec<&str> {
    let audiences = &settings["tokenMounts"]["audiences"];
    let list = |value: &'_ Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut api = list(&audiences["api"]);
    api.extend(settings["tokenMounts"]["serviceAccountTokenVolume"]["audience"].as_str().map(str::to_owned));
    let allowed = audiences["allowed"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let all = e2e_tests::laws::OTHER_SERVICES.into_iter().chain(allowed);
    all.filter(|audience| !api.iter().any(|api| api == audience)).collect()
}

fn token_mounts() -> impl Strategy<Value = Map<String, Value>> {
    let volume = select(vec![
        json!({"enabled": true}),
        json!({"enabled": true, "volumeName": "token", "mountPath": "/custom/token", "expirationSeconds": 600}),
        json!({"enabled": true, "audience": "https://kubernetes.default.svc", "expirationSeconds": 3600}),
        json!({"enabled": true, "audience": "sts.amazonaws.com"}),
        json!({"enabled": false, "mountPath": "/custom/token"}),
    ]);
    let components = select(vec![
        json!([]),
        json!([{"name": "all", "match": {"labels": {"tier": "airflow"}}, "containers": ["base", "scheduler"]}]),
        json!([{"name": "init", "match": {"serviceAccounts": ["*/airflow-*"]}, "requesters": ["jane"],
            "containers": ["scheduler"], "initContainers": ["vault-agent-init", "scheduler"]}]),
    ]);
    let audiences = select(vec![
        json!({"allowed": ["vault"]}),
        json!({"api": ["vault"]}),
        json!({"api": ["sts.googleapis.com"], "allowed": ["vault"]}),
    ]);
    let fields = (
        option::weighted(0.8, select(vec!["Audit", "Enforce", "Enforce", "Ignore"])),
        option::of(select(vec!["Ignore", "NoToken"])),
        option::of(any_bool()),
        option::of(volume),
        option::weighted(0.3, select(vec![3600, 7200])),
        option::weighted(0.3, audiences),
        option::weighted(0.3, Just(json!(["kubeconfig-*"]))),
        option::weighted(0.2, components),
    );
    fields.prop_map(|(airflow, others, required, volume, max, audiences, secrets, components)| {
        let mut section = Map::new();
        insert(&mut section, "airflowPods", airflow.map(Value::from));
        insert(&mut section, "otherPods", others.map(Value::from));
        insert(&mut section, "requireAutomountFalse", required.map(Value::from));
        insert(&mut section, "serviceAccountTokenVolume", volume);
        insert(&mut section, "maxExpirationSeconds", max.map(Value::from));
        insert(&mut section, "audiences", audiences);
        insert(&mut section, "tokenSecrets", secrets);
        insert(&mut section, "components", components);
        section
    })
}

/// Mostly none, at times one.
fn some_of(pool: Vec<Value>) -> impl Strategy<Value = Vec<Value>> {
    option::weighted(0.25, select(pool)).prop_map(|one| one.into_iter().collect())
}

fn any_bool() -> impl Strategy<Value = bool> {
    proptest::bool::ANY
}

fn credentials() -> impl Strategy<Value = Option<Value>> {
    let key = |allow: Value| json!({"type": "gcpServiceAccountKey", "allow": allow});
    option::weighted(
        0.8,
        select(vec![
            json!({"team-a": key(json!({"namespaces": ["*"]}))}),
            json!({"team-a": key(json!({"namespaces": ["airflow"]})), "team-b": key(json!({"namespaces": ["a*"]}))}),
            json!({"team-a": key(json!({"namespaces": ["airflow"], "requesters": ["*:airflow-scheduler"],
                "dagIds": ["etl"]}))}),
            json!({"team-a": key(json!({"namespaces": ["airflow"], "serviceAccounts": ["airflow/airflow-worker"]}))}),
        ]),
    )
}

fn injection() -> impl Strategy<Value = Map<String, Value>> {
    let fields = (
        option::of(select(vec!["Allow", "Deny"])),
        option::of(any_bool()),
        option::weighted(0.3, select(vec![json!([]), json!(["base", "*proxy"])])),
    );
    fields.prop_map(|(uncatalogued, init, skipped)| {
        let mut section = Map::new();
        insert(&mut section, "uncatalogued", uncatalogued.map(Value::from));
        insert(&mut section, "initContainers", init.map(Value::from));
        insert(&mut section, "skipContainers", skipped);
        section
    })
}

fn overrides() -> Vec<Value> {
    vec![
        json!({"action": "Audit", "namespaces": ["airflow"]}),
        json!({"action": "Enforce", "namespaces": ["air*"], "rules": ["token-mounts"]}),
        json!({"action": "Audit", "namespaces": ["dev-*"]}),
    ]
}

fn exceptions() -> Vec<Value> {
    vec![
        json!({"name": "n", "rules": ["token-mounts"], "match": {"namespaces": ["airflow"], "names": ["etl-*"]}}),
        json!({"name": "l", "rules": ["credentials"], "match": {"namespaces": ["airflow"], "labels": {"dag_id": "etl"}}}),
        json!({"name": "r", "rules": ["token-mounts", "credentials"],
            "match": {"namespaces": ["a*"], "requesters": ["*:airflow-worker"]}}),
    ]
}

fn insert(section: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        section.insert(key.to_owned(), value);
    }
}
