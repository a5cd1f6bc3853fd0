//! Settings drawn from the fuzzer's bytes, nearly all of them right.

use serde_json::{Map, Value, json};

use crate::draw::{Draw, Pick};

/// A settings document.
pub fn document(draw: &mut Draw<'_>) -> Value {
    let mut settings = Map::new();
    let mut set = |key: &str, value: Value| drop(settings.insert(key.to_owned(), value));
    // Where nobody is excused, more can be said of what passes.
    let strict = draw.once_in(3);
    set("tokenMounts", token_mounts(draw, strict));
    if draw.below(3) > 0 {
        set("credentials", catalogue(draw));
    }
    if draw.once_in(2) {
        set("credentialInjection", injection(draw));
    }
    if draw.once_in(3) {
        set("secretAccess", secret_access(draw));
    }
    if draw.once_in(3) {
        let sections = [r#"{"failureAction":"Enforce"}"#, r#"{"allowedHostPaths":["/var/lib/kubelet"]}"#];
        set("nodeAccess", parsed(draw.one(&sections)));
    }
    if draw.once_in(4) {
        set("podOperator", json!({"denyDefaultServiceAccount": !draw.once_in(3)}));
    }
    if draw.once_in(4) {
        let component =
            json!({"name": "scheduler", "access": ["pod-launcher", {"verbs": ["get"], "resource": "nodes"}]});
        let action = draw.one(&["Audit", "Enforce", "Off"]);
        let components = if draw.once_in(2) { json!([component]) } else { json!([]) };
        set("rbac", json!({"failureAction": action, "components": components, "launchers": draw.once_in(2)}));
    }
    if draw.once_in(4) {
        set("serviceAccounts", service_accounts(draw));
    }
    if !strict && draw.once_in(4) {
        set("failureAction", draw.one(&["Enforce", "Audit"]).into());
    }
    if !strict && draw.once_in(5) {
        let mut entry = json!({"action": draw.one(&["Audit", "Enforce"]), "namespaces": [draw.one(&["air*", "x"])]});
        if draw.once_in(2) {
            entry["rules"] = json!([draw.one(&["token-mounts", "credentials", "secret-access", "node-access"])]);
        }
        set("failureActionOverrides", json!([entry]));
    }
    if !strict && draw.once_in(5) {
        set("exceptions", exceptions(draw));
    }
    if draw.once_in(6) {
        set("onLookupError", draw.one(&["Warn", "Deny"]).into());
    }
    Value::Object(settings)
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}

/// Adds some of these fields, each with one of its values in JSON.
fn some(draw: &mut Draw<'_>, section: &mut Value, fields: &[(&str, &[&str])]) {
    for (key, values) in fields {
        if draw.below(3) == 1 {
            section[*key] = parsed(draw.one(values));
        }
    }
}

fn token_mounts(draw: &mut Draw<'_>, strict: bool) -> Value {
    let mut section = json!({"airflowPods": draw.one(&["Enforce", "Enforce", "Audit", "Ignore"])});
    some(
        draw,
        &mut section,
        &[
            ("otherPods", &["\"NoToken\"", "\"Ignore\""]),
            ("requireAutomountFalse", &["true", "false"]),
            ("maxExpirationSeconds", &["3600", "600", "86400"]),
            ("tokenSecrets", &["[\"kubeconfig-*\"]", "[\"kubeconfig-*\",\"airflow-token-*\"]"]),
            (
                "audiences",
                &["{\"api\":[\"https://issuer.example\"],\"allowed\":[\"vault\"]}", "{\"allowed\":[\"*.example\"]}"],
            ),
            ("failureAction", &["\"Enforce\"", "\"Enforce\"", "\"Audit\"", "\"Off\"", "false"]),
        ],
    );
    if strict {
        section["airflowPods"] = "Enforce".into();
        section["otherPods"] = "NoToken".into();
        section["failureAction"] = "Enforce".into();
    }
    if draw.once_in(2) {
        // It may not outlive the longest that is allowed.
        let mut volume = json!({"enabled": !draw.once_in(4), "expirationSeconds": 600});
        some(
            draw,
            &mut volume,
            &[
                ("volumeName", &["\"token\"", "\"logs\"", "\"kube-api-access\""]),
                ("mountPath", &["\"/custom/token\"", "\"/run/secrets/kubernetes.io/serviceaccount\"", "\"/opt\""]),
                ("audience", &["\"https://issuer.example\"", "null"]),
            ],
        );
        section["serviceAccountTokenVolume"] = volume;
    }
    if draw.once_in(3) {
        let entry =
            |name: &str, labels: Value| json!({"name": name, "match": {"labels": labels}, "containers": [name]});
        let mut scheduler = entry("scheduler", json!({"tier": "airflow", "component": "scheduler"}));
        let mut triggerer = entry("triggerer", json!({"component": "triggerer"}));
        some(draw, &mut scheduler, &[("initContainers", &["[\"prepare\"]", "[\"vault-agent-init\",\"git-sync\"]"])]);
        some(
            draw,
            &mut triggerer,
            &[
                ("requesters", &["[\"jane\"]", "[\"group:system:authenticated\"]"]),
                ("containers", &["[\"triggerer\",\"base\"]"]),
            ],
        );
        section["components"] = json!([scheduler, triggerer]);
    }
    section
}

/// A credential of every type, some of them for somebody else.
fn catalogue(draw: &mut Draw<'_>) -> Value {
    let guid = "00000000-0000-4000-8000-000000000001";
    let provider = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster";
    let mut all = json!({
        "team-a": {"type": "gcpServiceAccountKey", "secretName": "team-a-gcp", "key": "key.json",
            "project": "my-project"},
        "team-b": {"type": "gcpWorkloadIdentity", "audience": provider,
            "serviceAccountEmail": "etl@my-project.iam.gserviceaccount.com"},
        "gke": {"type": "gkeWorkloadIdentity", "serviceAccountEmail": "etl@my-project.iam.gserviceaccount.com"},
        "keys": {"type": "awsAccessKey", "secretName": "aws", "region": "eu-central-1"},
        "web": {"type": "awsWebIdentity", "roleArn": "arn:aws:iam::111122223333:role/etl", "region": "eu-central-1"},
        "aws-pod": {"type": "awsPodIdentity"},
        "azure": {"type": "azureWorkloadIdentity", "clientId": guid, "tenantId": guid},
        "principal": {"type": "azureServicePrincipal", "clientId": guid, "tenantId": guid,
            "certificateKey": "cert.pem"},
        "conn": {"type": "airflowConnection", "connectionId": "warehouse"},
        "vault": {"type": "vaultToken", "role": "etl", "address": "https://vault.example.com:8200"},
        "own": {"type": "custom", "env": [{"name": "API_URL", "value": "https://api.example.com"},
            {"name": "API_KEY", "secretKey": "api-key"}], "files": {"mountPath": "/etc/custom"},
            "token": {"audience": "api.example.com", "path": "/var/run/tokens/custom/jwt"}},
    });
    for fields in all.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let mut allow = json!({"namespaces": [draw.one(&["airflow", "airflow", "airflow", "air*", "*", "other"])]});
        some(
            draw,
            &mut allow,
            &[
                ("serviceAccounts", &["[\"airflow/*\"]", "[\"*/*\"]", "[\"airflow/airflow-*\"]"]),
                ("requesters", &["[\"system:serviceaccount:airflow:*\"]", "[\"group:system:authenticated\"]"]),
                ("dagIds", &["[\"etl\"]"]),
            ],
        );
        fields["allow"] = allow;
    }
    // Not all of them, so that what is asked for may be unknown.
    let last = 3 + draw.below(9);
    all.as_object_mut().into_iter().for_each(|all| {
        let keys: Vec<String> = all.keys().skip(last).cloned().collect();
        keys.iter().for_each(|key| drop(all.remove(key)));
    });
    all
}

fn injection(draw: &mut Draw<'_>) -> Value {
    let mut section = json!({});
    some(
        draw,
        &mut section,
        &[
            ("uncatalogued", &["\"Allow\"", "\"Deny\""]),
            ("skipContainers", &["[]", "[\"*sidecar\",\"istio-proxy\"]", "[\"base\"]", "[\"?ain\"]"]),
            ("initContainers", &["true"]),
            ("verifySecrets", &["true"]),
            ("failureAction", &["\"Enforce\"", "\"Audit\"", "\"Off\""]),
        ],
    );
    section
}

fn secret_access(draw: &mut Draw<'_>) -> Value {
    let mut section = json!({});
    some(
        draw,
        &mut section,
        &[
            (
                "protected",
                &[r#"[{"secrets":["airflow-jwt-*"],"namespaces":["airflow"],
                        "allow":{"namespaces":["airflow"],"serviceAccounts":["airflow/airflow-scheduler"]}}]"#],
            ),
            ("tokenAudiences", &["\"Enforce\"", "\"Audit\"", "\"Off\""]),
            ("failureAction", &["\"Enforce\"", "\"Audit\"", "\"Off\""]),
        ],
    );
    section
}

fn service_accounts(draw: &mut Draw<'_>) -> Value {
    let mut section = json!({"roles": [{"annotation": "eks.amazonaws.com/role-arn", "namespaces": ["airflow"],
        "value": "arn:aws:iam::111122223333:role/airflow", "components": ["scheduler", "worker"]}]});
    some(
        draw,
        &mut section,
        &[
            ("automountServiceAccountToken", &["null", "false"]),
            ("workloads", &["\"Enforce\"", "\"Audit\"", "\"Off\""]),
            ("failureAction", &["\"Enforce\"", "\"Audit\""]),
        ],
    );
    section
}

fn exceptions(draw: &mut Draw<'_>) -> Value {
    let rule = draw.one(&["token-mounts", "credentials", "secret-access", "node-access", "pod-operator"]);
    let mut condition = json!({"namespaces": ["air*"]});
    some(
        draw,
        &mut condition,
        &[
            ("serviceAccounts", &["[\"airflow/airflow-*\"]"]),
            ("names", &["[\"etl-*\"]", "[\"é\"]"]),
            ("labels", &["{\"team\":\"a\"}", "{\"dag_id\":\"e*\"}"]),
            ("requesters", &["[\"jane\"]", "[\"system:*\"]"]),
        ],
    );
    json!([{"name": "legacy", "rules": [rule], "match": condition}])
}
