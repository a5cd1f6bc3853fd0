//! What a catalogue of a thousand credentials costs. Fuel is deterministic, so the bounds are exact.
//!
//! policy-server hands settings over with sorted keys, so `allow` comes before `secretName` and `type` here too.
//!
//! The unit is what anybody pays who receives the document and passes over it once: the same bytes, the object of
//! credentials, under a key of the request that no policy reads (`request.options`, which the module skips), less the
//! same request without them. The settings' own cost is told the same way: the request with the thousand under
//! `settings.credentials`, less the same request with the catalogue that its verdict needs, of at most three.

#![cfg(feature = "engine")]

use e2e_tests::fuel::Meter;
use e2e_tests::testing::module;
use serde_json::{Map, Value, json};

/// How many credentials the catalogue holds.
const MANY: usize = 1000;
const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";

/// A catalogue as a platform team writes it: every type by turns, each team with its own ServiceAccounts.
fn catalogue() -> Map<String, Value> {
    (0..MANY).map(|index| (format!("team-{index:04}"), credential(index))).collect()
}

fn credential(index: usize) -> Value {
    let guid = format!("00000000-0000-4000-8000-{index:012}");
    let provider = "projects/123456789/locations/global/workloadIdentityPools/pool/providers";
    let mut fields = match index % 11 {
        0 => json!({"type": "gcpServiceAccountKey", "secretName": format!("team-{index:04}-gcp")}),
        1 => json!({"type": "gcpWorkloadIdentity",
            "audience": format!("//iam.googleapis.com/{provider}/team-{index:04}"),
            "serviceAccountEmail": format!("team-{index:04}@my-project.iam.gserviceaccount.com")}),
        2 => json!({"type": "gkeWorkloadIdentity",
            "serviceAccountEmail": format!("team-{index:04}@my-project.iam.gserviceaccount.com")}),
        3 => json!({"type": "awsAccessKey", "secretName": format!("team-{index:04}-aws"), "region": "eu-central-1"}),
        4 => json!({"type": "awsWebIdentity",
            "roleArn": format!("arn:aws:iam::111122223333:role/team-{index:04}"), "region": "eu-central-1"}),
        5 => json!({"type": "awsPodIdentity"}),
        6 => json!({"type": "azureWorkloadIdentity", "clientId": guid, "tenantId": guid}),
        7 => json!({"type": "azureServicePrincipal", "clientId": guid, "tenantId": guid}),
        8 => json!({"type": "airflowConnection", "connectionId": format!("team_{index:04}")}),
        9 => json!({"type": "vaultToken", "role": format!("team-{index:04}"),
            "address": "https://vault.example.com:8200"}),
        _ => json!({"type": "custom", "secretName": format!("team-{index:04}-custom"),
            "env": [{"name": "API_URL", "value": "https://api.example.com"},
                {"name": "API_KEY", "secretKey": "api-key"}]}),
    };
    fields["allow"] = json!({"namespaces": ["airflow"],
        "serviceAccounts": [format!("airflow/team-{index:04}-*")], "requesters": [SCHEDULER]});
    fields
}

/// A task pod of team 3's: an AWS key.
fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl", "namespace": "airflow", "labels": {"kubernetes_executor": "True"}},
        "spec": {"serviceAccountName": "team-0003-etl", "containers": [{"name": "base"}]},
    })
}

fn with(place: &str, value: Value) -> Value {
    let mut pod = pod();
    let (parent, key) = place.rsplit_once('/').expect("a pointer");
    pod.pointer_mut(parent).expect("the place")[key] = value;
    pod
}

struct Case {
    name: &'static str,
    object: Value,
    /// The most that the catalogue may cost, in hundredths of the unit; `None` where 200 is the aim and not met yet.
    most: Option<u64>,
    /// What the answer holds.
    told: &'static str,
}

fn cases() -> Vec<Case> {
    let env = |secret: &str| json!([{"name": "K", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}]);
    let asks = |name: &str| with("/metadata/annotations", json!({"airflow-pod-identity/credentials": name}));
    let mut token = with(
        "/spec/volumes",
        json!([{"name": "own", "projected": {"sources": [
        {"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}}]}}]),
    );
    token["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "own", "mountPath": "/own"}]);
    let accepted = r#"{"accepted":true}"#;
    vec![
        Case { name: "neither Secrets nor annotations", object: pod(), most: Some(130), told: accepted },
        Case {
            name: "a Secret of nobody's",
            object: with("/spec/containers/0/env", env("mine")),
            most: Some(200),
            told: accepted,
        },
        Case {
            name: "another team's Secret",
            object: with("/spec/containers/0/env", env("team-0014-aws")),
            most: Some(200),
            told: "secret-access/protected-secret: spec.containers[0].env[0] (container `base`): names Secret \
                   `team-0014-aws`, which is protected and not for this pod; credentials that it may use: `team-0003`",
        },
        Case {
            name: "asks for its credential",
            object: asks("team-0003"),
            most: Some(200),
            told: r#""AWS_ACCESS_KEY_ID""#,
        },
        Case {
            name: "asks for another team's",
            object: asks("team-0004"),
            most: Some(200),
            told: "credentials/not-allowed: metadata.annotations[airflow-pod-identity/credentials]",
        },
        Case { name: "a token of its own", object: token, most: Some(200), told: "secret-access/own-token" },
    ]
}

/// The payload, with some text as `request.options`.
fn payload(object: &Value, options: &str, settings: &str) -> Vec<u8> {
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    let user = json!({"username": SCHEDULER, "groups": ["system:authenticated"]});
    format!(
        r#"{{"request":{{"uid":"u","kind":{kind},"name":"etl","namespace":"airflow","operation":"CREATE","userInfo":{user},"object":{object},"options":{options}}},"settings":{settings}}}"#
    )
    .into_bytes()
}

#[test]
fn a_thousand_credentials_cost_little_more_than_passing_over_them() {
    let meter = Meter::new(&std::fs::read(module()).expect("a readable module")).expect("a module");
    let fuel = |payload: &[u8]| meter.measure(payload).expect("a measurement").fuel;
    let all = catalogue();
    let bytes = Value::Object(all.clone()).to_string();
    // A catalogue of one, so that the rules run that a catalogue turns on.
    let few: Map<String, Value> = all.iter().take(1).map(|(name, fields)| (name.clone(), fields.clone())).collect();
    let settings = |credentials: &str| format!(r#"{{"credentials":{credentials}}}"#);
    let (many, few) = (settings(&bytes), settings(&Value::Object(few).to_string()));
    let skip = fuel(&payload(&pod(), &bytes, &few)) - fuel(&payload(&pod(), "{}", &few));
    println!("{} bytes, skipped for {skip} ({} a byte)", bytes.len(), skip / bytes.len() as u64);
    let mut dear = Vec::new();
    for Case { name, object, most, told } in cases() {
        let measured = meter.measure(&payload(&object, "{}", &many)).expect("a measurement");
        let answer = String::from_utf8_lossy(&measured.response);
        assert!(answer.contains(told), "{name}: {answer}");
        let cost = measured.fuel - fuel(&payload(&object, "{}", &few));
        let hundredths = cost * 100 / skip;
        println!("{name}: {cost} = {hundredths} % of a skip; the whole call {}", measured.fuel);
        if let Some(most) = most.filter(|most| hundredths > *most) {
            dear.push(format!("{name}: {hundredths} % instead of at most {most} %"));
        }
    }
    assert!(dear.is_empty(), "{dear:#?}");
}
