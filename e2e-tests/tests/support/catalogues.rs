//! Catalogues, all of them valid, and annotations that ask for what is in them, or not.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Names of credentials: plain, one that looks like what Vault's injector searches for, the longest, one of a digit.
pub const NAMES: [&str; 7] = [
    "team-a",
    "team-b",
    "c",
    "serviceaccount",
    "x123456789-123456789-123456789-123456789-123456789-123456789-12",
    "x123456789-123456789-123456789-123456789-123456789-123456789-13",
    "1",
];

/// Names of Secrets.
const SECRETS: [&str; 4] = ["warehouse", "lake.example.com", "team-a", "shared"];
const GUID: &str = "00000000-0000-4000-8000-00000000000f";

/// A catalogue of one to five credentials.
pub fn catalogue() -> impl Strategy<Value = Map<String, Value>> {
    let entry = (fields(), allow()).prop_map(|(mut fields, allow)| {
        fields.extend(allow);
        Value::Object(fields)
    });
    btree_map(select(&NAMES[..]).prop_map(str::to_owned), entry, 1..6).prop_map(|entries| entries.into_iter().collect())
}

/// The annotations of a pod that asks for credentials, mostly for `known` ones, as they stand in an object.
pub fn annotations(known: Vec<String>) -> impl Strategy<Value = String> {
    let most = known.len().min(3);
    let names = subsequence(known.clone(), 1..=most).prop_shuffle();
    let list = (names, select(vec![",", ", ", " , "])).prop_map(|(names, comma)| names.join(comma));
    let list = prop_oneof![
        10 => select(known.clone()),
        6 => list,
        1 => select(&NAMES[..]).prop_map(str::to_owned),
        1 => select(vec!["", "team-a,,c", "team-a,team-a", "nobody's", "\\u0074eam-a"]).prop_map(str::to_owned),
    ];
    let odd = select(vec!["", "shared", "lake.example.com", "unknown"]).prop_map(str::to_owned);
    let google = prop_oneof![3 => select(known), 1 => odd];
    let containers =
        select(vec!["*", "*", "base", "base", "base, scheduler", "scheduler", "istio-proxy", "*,base", "absent", ""]);
    let pair = |key: &str, value: &str| format!("\"{key}\":\"{value}\"");
    let lists = (option::weighted(0.9, list), option::weighted(0.1, google), option::weighted(0.3, containers));
    let pairs = lists.prop_map(move |(list, google, containers)| {
        let list = list.map(|list| pair("airflow-pod-identity/credentials", &list));
        let google = google.map(|name| pair("iam.cloud.google.com/service-account", &name));
        let containers = containers.map(|names| pair("airflow-pod-identity/containers", names));
        let other = Some(pair("example.com/a", "{}"));
        [list, other, google, containers].into_iter().flatten().collect::<Vec<_>>()
    });
    pairs.prop_shuffle().prop_map(|pairs| format!("{{{}}}", pairs.join(",")))
}

fn allow() -> impl Strategy<Value = Map<String, Value>> {
    let conditions = (
        select(["*", "airflow", "air*", "*", "airflow", "elsewhere"].map(|pattern| json!([pattern, "other"])).to_vec()),
        option::weighted(
            0.2,
            select(vec![json!(["*/airflow-*"]), json!(["airflow/airflow-worker"]), json!(["?*/other"])]),
        ),
        option::weighted(
            0.2,
            select(vec![
                json!(["system:serviceaccount:airflow:airflow-*"]),
                json!(["group:system:serviceaccounts:airflow", "jane"]),
                json!(["group:data-eng"]),
            ]),
        ),
        option::weighted(0.1, select(vec![json!(["etl"]), json!(["e*", "x"])])),
    );
    let allow = conditions.prop_map(|(namespaces, accounts, requesters, dags)| {
        let mut allow = json!({"namespaces": namespaces});
        for (key, value) in [("serviceAccounts", accounts), ("requesters", requesters), ("dagIds", dags)] {
            if let Some(value) = value {
                allow[key] = value;
            }
        }
        allow
    });
    option::weighted(0.95, allow).prop_map(|allow| allow.map(|allow| ("allow".to_owned(), allow)).into_iter().collect())
}

/// A field that may be left out.
type Optional = (&'static str, Vec<Value>);

/// A type with the fields that it must have and some of those that it can.
fn typed(name: &'static str, needed: Value, optional: Vec<Optional>) -> BoxedStrategy<Map<String, Value>> {
    let choices: Vec<_> = optional
        .into_iter()
        .map(|(key, values)| {
            option::of(select(values)).prop_map(move |value| value.map(|value| (key.to_owned(), value)))
        })
        .collect();
    choices
        .prop_map(move |choices| {
            let mut fields = needed.as_object().cloned().unwrap_or_default();
            fields.insert("type".to_owned(), name.into());
            fields.extend(choices.into_iter().flatten());
            fields
        })
        .boxed()
}

fn fields() -> impl Strategy<Value = Map<String, Value>> {
    let secret = || ("secretName", SECRETS.map(Value::from).to_vec());
    let seconds = || ("expirationSeconds", vec![3600.into(), 86_400.into()]);
    let region = || ("region", vec!["eu-central-1".into(), "cn-north-1".into()]);
    let keys = |key: &'static str| (key, vec!["k".into(), "a.b_C-1".into()]);
    let email = json!({"serviceAccountEmail": "etl@my-project.iam.gserviceaccount.com"});
    let provider = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";
    let azure = || json!({"clientId": GUID, "tenantId": GUID});
    let custom = vec![
        json!({"env": [{"name": "A", "value": "1"}, {"name": "GOOGLE_APPLICATION_CREDENTIALS", "secretKey": "k"}]}),
        json!({"files": {"mountPath": "/etc/custom", "items": [{"key": "k"}, {"key": "l", "path": "m/n"}]}}),
        json!({"files": {"mountPath": "/opt/airflow/logs"}, "token": {"audience": "api.example.com"}}),
        json!({"token": {"audience": "sts.amazonaws.com", "path": "/run/jwt/file", "expirationSeconds": 600}}),
        json!({"env": [{"name": "AWS_ACCESS_KEY_ID", "secretKey": "k"}, {"name": "AWS_REGION", "value": "eu-central-1"}]}),
    ];
    let custom: Vec<_> = custom.into_iter().map(|fields| typed("custom", fields, vec![secret()])).collect();
    let as_file = |fields: Vec<Optional>| typed("awsAccessKey", json!({"as": "file"}), fields);
    prop_oneof![
        typed("gcpServiceAccountKey", json!({}), vec![secret(), keys("key"), ("project", vec!["my-project".into()])]),
        typed(
            "gcpWorkloadIdentity",
            json!({"audience": provider}),
            vec![
                seconds(),
                ("tokenAudience", vec!["sts.googleapis.com".into(), "q".into()]),
                ("serviceAccountEmail", vec![email["serviceAccountEmail"].clone()])
            ],
        ),
        typed("gkeWorkloadIdentity", email.clone(), vec![]),
        typed("awsAccessKey", json!({}), vec![secret(), region(), keys("accessKeyIdKey"), keys("sessionTokenKey")]),
        as_file(vec![secret(), region(), ("profile", vec!["etl".into()])]),
        typed(
            "awsWebIdentity",
            json!({"roleArn": "arn:aws:iam::111122223333:role/etl"}),
            vec![
                seconds(),
                region(),
                ("regionalSts", vec![false.into(), true.into()]),
                ("sessionName", vec!["airflow".into()]),
                ("audience", vec!["another".into()])
            ],
        ),
        typed("awsPodIdentity", json!({}), vec![seconds()]),
        typed(
            "azureWorkloadIdentity",
            azure(),
            vec![seconds(), ("authorityHost", vec!["https://login.microsoftonline.us/".into()])]
        ),
        typed("azureServicePrincipal", azure(), vec![secret(), keys("key")]),
        typed("azureServicePrincipal", azure(), vec![secret(), keys("certificateKey")]),
        typed("airflowConnection", json!({"connectionId": "warehouse"}), vec![secret(), keys("key")]),
        typed(
            "vaultToken",
            json!({}),
            vec![
                seconds(),
                ("audience", vec!["https://vault.example.com".into()]),
                ("role", vec!["etl".into()]),
                ("address", vec!["http://vault:8200".into()])
            ]
        ),
        vec(0..custom.len(), 1).prop_flat_map(move |index| custom[index[0]].clone()),
    ]
}
