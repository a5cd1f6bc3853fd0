//! Settings drawn from a number, of what the oracle covers.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// A document.
pub fn settings(random: &mut Random) -> Value {
    let mut document = json!({
        "tokenMounts": token_mounts(random),
        "credentialInjection": some(random, &[
            ("failureAction", &[json!("Audit"), json!("Off"), json!("Enforce")], 15),
            ("uncatalogued", &[json!("Allow"), json!("Deny")], 30),
            ("initContainers", &[json!(true)], 20),
            ("skipContainers", &[json!([]), json!(["base", "*-proxy"])], 15),
        ]),
        "secretAccess": some(random, &[
            ("failureAction", &[json!("Audit"), json!("Off"), json!("Enforce")], 15),
            ("tokenAudiences", &[json!("Enforce"), json!("Off")], 30),
            ("protected", &[protected()], 30),
        ]),
        "nodeAccess": some(random, &[
            ("failureAction", &[json!("Enforce"), json!(false)], 40),
            ("allowedHostPaths", &[json!(["/var/lib/kubelet"])], 10),
        ]),
    });
    if random.chance(70) {
        document["credentials"] = credentials(random).into();
    }
    let more = some(
        random,
        &[
            ("failureAction", &[json!("Audit"), json!("Enforce")], 25),
            ("failureActionOverrides", &overrides(), 20),
            ("exceptions", &exceptions(), 20),
            ("airflow", &[json!({"launchers": ["*/other", "airflow/airflow-scheduler"]})], 10),
        ],
    );
    document.as_object_mut().expect("an object").extend(more);
    document
}

/// A document for ServiceAccounts.
pub fn of_accounts(random: &mut Random) -> Value {
    let section = some(
        random,
        &[
            ("failureAction", &[json!("Audit"), json!("Off"), json!("Enforce")], 40),
            ("automountServiceAccountToken", &[json!(true), json!(false), Value::Null], 40),
            ("repair", &[json!(true)], 50),
            (
                "match",
                &[json!({"labels": {}, "names": ["*", "default"]}), json!({"names": ["airflow-*"]}), json!({})],
                40,
            ),
        ],
    );
    let mut document =
        json!({"serviceAccounts": section, "tokenMounts": {"serviceAccountTokenVolume": {"enabled": true}}});
    if random.chance(20) {
        document["failureAction"] = "Audit".into();
    }
    document
}

fn token_mounts(random: &mut Random) -> Map<String, Value> {
    let components = [
        json!([]),
        json!([{"name": "all", "match": {"labels": {"tier": "airflow"}}, "containers": ["scheduler", "base"]}]),
        json!([{"name": "by-account", "match": {"serviceAccounts": ["*/airflow-*"]}, "requesters": ["jane"],
            "containers": ["scheduler"], "initContainers": ["vault-agent-init", "scheduler-log-groomer"]}]),
    ];
    let volumes = [
        json!({"enabled": true}),
        json!({"enabled": true}),
        json!({"enabled": true, "volumeName": "own", "mountPath": "/custom/token", "expirationSeconds": 600}),
        json!({"enabled": true, "audience": "mine", "expirationSeconds": 3600}),
        json!({"enabled": false, "audience": "vault"}),
    ];
    let audiences = [json!({"allowed": ["vault", "mi*"]}), json!({"api": ["vault"]}), json!({"api": ["sts.google*"]})];
    some(
        random,
        &[
            ("failureAction", &[json!("Audit"), json!("Off"), json!("Enforce")], 15),
            ("components", &components, 25),
            ("airflowPods", &[json!("Enforce"), json!("Enforce"), json!("Ignore")], 60),
            ("otherPods", &[json!("NoToken")], 35),
            ("requireAutomountFalse", &[json!(true)], 25),
            ("serviceAccountTokenVolume", &volumes, 50),
            ("maxExpirationSeconds", &[json!(3600), json!(7200)], 30),
            ("audiences", &audiences, 30),
            ("tokenSecrets", &[json!(["kubeconfig-*"])], 40),
        ],
    )
}

fn credentials(random: &mut Random) -> Map<String, Value> {
    let guid = "00000000-0000-4000-8000-00000000000f";
    let role = "arn:aws:iam::111122223333:role/lake";
    let pool = [
        ("team-a", json!({"type": "gcpServiceAccountKey"})),
        ("team-a", json!({"type": "gcpServiceAccountKey", "project": "my-project"})),
        ("team-b", json!({"type": "gcpServiceAccountKey", "secretName": "team-b-gcp", "key": "sa.json"})),
        ("lake", json!({"type": "awsWebIdentity", "roleArn": role})),
        (
            "lake",
            json!({"type": "awsWebIdentity", "roleArn": role, "region": "eu-central-1", "sessionName": "airflow",
            "regionalSts": false, "expirationSeconds": 3600, "audience": "other"}),
        ),
        ("db", json!({"type": "airflowConnection", "connectionId": "db"})),
        ("lake", json!({"type": "awsPodIdentity"})),
        ("keys", json!({"type": "awsAccessKey", "sessionTokenKey": "t", "region": "eu-central-1"})),
        ("azure", json!({"type": "azureWorkloadIdentity", "clientId": guid, "tenantId": guid})),
        ("azure", json!({"type": "azureServicePrincipal", "clientId": guid, "tenantId": guid, "secretName": "jwt-1"})),
        ("vault", json!({"type": "vaultToken", "role": "etl", "address": "http://vault:8200"})),
        ("db", json!({"type": "airflowConnection", "connectionId": "dB", "secretName": "jwt-1", "key": "uri"})),
    ];
    let mut drawn = Map::new();
    for (name, credential) in pool {
        if random.chance(50) && !drawn.contains_key(name) {
            let mut credential = credential;
            if random.chance(92) {
                credential["allow"] = allow(random).into();
            }
            drawn.insert(name.to_owned(), credential);
        }
    }
    drawn
}

fn allow(random: &mut Random) -> Map<String, Value> {
    let namespaces = random.pick(&[json!(["*"]), json!(["airflow"]), json!(["air*", "jobs"]), json!(["jobs"])]);
    let mut allow = some(
        random,
        &[
            ("serviceAccounts", &[json!(["airflow/airflow-*"]), json!(["*/default", "*/other"])], 20),
            (
                "requesters",
                &[
                    json!(["system:serviceaccount:airflow:*"]),
                    json!(["group:system:serviceaccounts:airflow", "jane"]),
                    json!(["group:data-eng"]),
                ],
                20,
            ),
            ("dagIds", &[json!(["etl"]), json!(["e?l", "x"])], 15),
        ],
    );
    allow.insert("namespaces".to_owned(), namespaces);
    allow
}

fn protected() -> Value {
    json!([
        {"secrets": ["jwt-*"], "namespaces": ["airflow"], "allow": {"namespaces": ["airflow"],
            "serviceAccounts": ["airflow/airflow-scheduler"]}},
        {"secrets": ["own-key"], "namespaces": ["*"]},
    ])
}

fn overrides() -> Vec<Value> {
    vec![
        json!([{"action": "Audit", "namespaces": ["airflow"]}]),
        json!([{"action": "Enforce", "namespaces": ["air*"], "rules": ["token-mounts", "node-access"]}]),
        json!([{"action": "Audit", "namespaces": ["dev-*"], "rules": ["credentials"]},
            {"action": "Enforce", "namespaces": ["*"]}]),
    ]
}

fn exceptions() -> Vec<Value> {
    vec![
        json!([{"name": "n", "rules": ["token-mounts"], "match": {"namespaces": ["airflow"], "names": ["etl-*"]}}]),
        json!([{"name": "l", "rules": ["credentials", "node-access"],
            "match": {"namespaces": ["air*", "jobs"], "labels": {"dag_id": "etl"}}}]),
        json!([{"name": "r", "rules": ["secret-access"],
            "match": {"namespaces": ["a*"], "requesters": ["*:airflow-worker", "group:*:airflow"]}},
            {"name": "a", "rules": ["token-mounts"],
            "match": {"namespaces": ["jobs"], "serviceAccounts": ["jobs/other"]}}]),
    ]
}

/// Some of these fields, each in so many of a hundred cases.
fn some(random: &mut Random, fields: &[(&str, &[Value], usize)]) -> Map<String, Value> {
    let mut section = Map::new();
    for (key, values, percent) in fields {
        if random.chance(*percent) {
            section.insert((*key).to_owned(), random.pick(values));
        }
    }
    section
}
