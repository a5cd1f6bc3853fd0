//! Pods as JSON text, and who asks for them: likely ones, odd ones, and ones that no API server would store.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::pool::{ANNOTATIONS, AUDIENCES, CONTAINERS, ENV, LABELS, PATHS, UNKNOWN, VOLUMES};

/// As good as never: a probability must be more than nothing.
const NEVER: f64 = 1e-12;

/// Who makes requests; `None` is an audit scan.
pub fn requester() -> impl Strategy<Value = Option<String>> {
    let account = |name: &str| Some(format!("system:serviceaccount:{name}"));
    select(vec![
        account("kube-system:replicaset-controller"),
        account("kube-system:replicaset-controller"),
        account("kube-system:job-controller"),
        account("airflow:airflow-scheduler"),
        account("airflow:airflow-worker"),
        account("default:other"),
        Some("system:kube-controller-manager".to_owned()),
        Some("jane".to_owned()),
        None,
    ])
}

/// A Pod; those for updates may have ephemeral containers.
pub fn pod(ephemeral: bool) -> impl Strategy<Value = String> {
    (metadata(), weighted(0.97, spec(ephemeral)), unknown()).prop_map(|(metadata, spec, unknown)| {
        let head = r#""apiVersion":"v1","kind":"Pod""#.to_owned();
        object([Some(head), metadata, spec.map(|spec| format!("\"spec\":{spec}")), unknown])
    })
}

/// A new Pod with these annotations: every other one as launchers make them, with a token injected and few oddities.
pub fn asking(annotations: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    let spec = prop_oneof![spec(false), launched()];
    (metadata_with(annotations.prop_map(Some), 1.0 - NEVER), spec, unknown()).prop_map(|(metadata, spec, unknown)| {
        let head = r#""apiVersion":"v1","kind":"Pod""#.to_owned();
        object([Some(head), metadata, Some(format!("\"spec\":{spec}")), unknown])
    })
}

/// A scheduler's pod as a controller makes it: it mounts the injected token, and so may its neighbours.
pub fn scheduler() -> impl Strategy<Value = String> {
    let neighbour = (select(&CONTAINERS[4..]), weighted(0.7, Just(INJECTED_MOUNT)), unknown());
    let neighbour = neighbour.prop_map(|(name, mount, unknown)| {
        let mounts = format!("\"volumeMounts\":[{}]", mount.unwrap_or_default());
        object([Some(format!("\"name\":\"{name}\"")), Some(mounts), unknown])
    });
    (vec(neighbour, 0..4), list(volume(), 0..3), unknown()).prop_map(|(neighbours, volumes, unknown)| {
        let scheduler = format!(r#"{{"volumeMounts":[{INJECTED_MOUNT}],"name":"scheduler"}}"#);
        let containers = [vec![scheduler], neighbours].concat().join(",");
        let injected = format!(r#"{{"name":"kube-api-access-x7k2p",{}}}"#, injected());
        let others = volumes.unwrap_or_default().replace("kube-api-access-x7k2p", "other");
        let others = others.trim_start_matches('[').trim_end_matches(']');
        let comma = if others.is_empty() { "" } else { "," };
        let labels = r#""metadata":{"labels":{"tier":"airflow","component":"scheduler"}}"#.to_owned();
        let spec = format!(r#""spec":{{"containers":[{containers}],"volumes":[{others}{comma}{injected}]}}"#);
        object([Some(labels), Some(spec), unknown])
    })
}

fn metadata() -> impl Strategy<Value = Option<String>> {
    let fields = metadata_with(map(&ANNOTATIONS), 0.6);
    prop_oneof![30 => fields, 1 => Just(None), 1 => Just(Some("\"metadata\":null".to_owned()))]
}

fn metadata_with(
    annotations: impl Strategy<Value = Option<String>>,
    likely: f64,
) -> impl Strategy<Value = Option<String>> {
    let names =
        select(vec![r#""name":"etl-1""#, r#""generateName":"etl-""#, r#""name":"é""#, r#""creationTimestamp":null"#]);
    let fields = (names, field("labels", map(&LABELS), 0.9), field("annotations", annotations, likely), unknown());
    fields.prop_map(|(name, labels, annotations, unknown)| {
        Some(format!("\"metadata\":{}", object([Some(name.to_owned()), labels, annotations, unknown])))
    })
}

/// An object of some of these pairs, or `null`.
fn map(pool: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    let pairs = vec(select(pool), 0..5).prop_map(|pairs| Some(format!("{{{}}}", unique(pairs).join(","))));
    prop_oneof![9 => pairs, 1 => Just(None)]
}

fn spec(ephemeral: bool) -> impl Strategy<Value = String> {
    let own = select(vec![
        r#""serviceAccountName":"airflow-scheduler""#,
        r#""serviceAccountName":"airflow-worker""#,
        r#""serviceAccount":"other","serviceAccountName":"""#,
        r#""hostNetwork":false"#,
    ]);
    let automount = select(vec!["true", "false", "null"]).prop_map(|value| Some(value.to_owned()));
    let shared = select(vec!["true", "false"]).prop_map(|value| Some(value.to_owned()));
    let ephemeral = if ephemeral { 0.7 } else { NEVER };
    let fields = (
        field("automountServiceAccountToken", automount, 0.4),
        field("shareProcessNamespace", shared, 0.1),
        field("initContainers", list(container(false), 0..3), 0.5),
        field("containers", list(container(false), 0..4), 0.97),
        field("ephemeralContainers", list(container(true), 0..3), ephemeral),
        field("volumes", list(volume(), 1..6), 0.9),
        unknown(),
    );
    let fields = (own, fields).prop_map(|(own, (a, b, c, d, e, f, g))| vec![Some(own.to_owned()), a, b, c, d, e, f, g]);
    let spec = fields.prop_shuffle().prop_map(object);
    prop_oneof![40 => spec, 1 => Just("null".to_owned()), 1 => Just("{}".to_owned())]
}

fn launched() -> impl Strategy<Value = String> {
    let container = |name: &'static str, env: f64| {
        let env = weighted(env, select(&ENV[..])).prop_map(Option::unwrap_or_default);
        (env, unknown()).prop_map(move |(env, unknown)| {
            let lists = format!(r#""name":"{name}","env":[{env}],"volumeMounts":[{INJECTED_MOUNT}]"#);
            object([Some(lists), unknown])
        })
    };
    let sidecars = select(&CONTAINERS[4..9]).prop_flat_map(move |name| container(name, 0.3));
    let main = select(vec!["base", "base", "scheduler", "main"]).prop_flat_map(move |name| container(name, 0.3));
    let lists = (vec(sidecars, 0..2), main, vec(container("prepare", 0.2), 0..2));
    let account = select(vec!["airflow-worker", "airflow-scheduler", "other"]);
    (lists, account, unknown()).prop_map(|((sidecars, main, init), account, unknown)| {
        let containers = [sidecars, vec![main]].concat().join(",");
        let volume = format!(r#"{{"name":"kube-api-access-x7k2p",{}}}"#, injected());
        let fields = format!(
            r#""containers":[{containers}],"initContainers":[{}],"serviceAccountName":"{account}","volumes":[{volume}]"#,
            init.join(",")
        );
        object([Some(fields), unknown])
    })
}

fn container(ephemeral: bool) -> impl Strategy<Value = String> {
    let target = select(&CONTAINERS[..]).prop_map(|name| Some(format!("\"{name}\"")));
    let fields = (
        field("name", select(&CONTAINERS[..]).prop_map(|name| Some(format!("\"{name}\""))), 0.98),
        field("env", list(select(&ENV[..]).prop_map(str::to_owned), 0..3), 0.5),
        field("volumeMounts", list(mount(), 0..4), 0.9),
        field("targetContainerName", target, if ephemeral { 0.5 } else { NEVER }),
        unknown(),
    );
    fields.prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e]).prop_shuffle().prop_map(object)
}

fn mount() -> impl Strategy<Value = String> {
    let more = select(vec![
        r#""readOnly":true"#,
        r#""readOnly":true"#,
        r#""subPath":"token""#,
        r#""x":1.0"#,
        r#""readOnly":null"#,
    ]);
    (select(&VOLUMES[..]), select(&PATHS[..]), weighted(0.8, more)).prop_map(|(volume, path, more)| {
        object([Some(format!(r#""name":"{volume}","mountPath":"{path}""#)), more.map(str::to_owned)])
    })
}

const CA: &str = r#"{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}}"#;
const NAMESPACE: &str =
    r#"{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"fieldPath":"metadata.namespace"}}]}}"#;
const INJECTED_MOUNT: &str =
    r#"{"name":"kube-api-access-x7k2p","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","readOnly":true}"#;

/// What the API server makes the volumes of that it injects.
fn injected() -> String {
    projected(format!(r#"{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{CA},{NAMESPACE}"#))
}

fn projected(sources: String) -> String {
    format!(r#""projected":{{"defaultMode":420,"sources":[{sources}]}}"#)
}

fn volume() -> impl Strategy<Value = String> {
    let token =
        (weighted(0.5, select(&AUDIENCES[..])), weighted(0.8, select(vec!["3607", "3600", "600", "86400", "null"])));
    let token = token.prop_map(|(audience, seconds)| {
        let audience = audience.map(|audience| format!("\"audience\":{audience}"));
        let seconds = seconds.map(|seconds| format!("\"expirationSeconds\":{seconds}"));
        object([audience, seconds, Some(r#""path":"token""#.to_owned())])
    });
    let own =
        token.prop_map(move |token| format!(r#"{{"serviceAccountToken":{token}}}"#)).prop_flat_map(move |token| {
            select(vec![format!("{token},{CA},{NAMESPACE}"), token.clone(), format!("{CA},{token},{token}")])
        });
    let others = select(vec![
        r#""emptyDir":{}"#,
        r#""secret":{"secretName":"kubeconfig-a"}"#,
        r#""secret":{"secretName":"team-a","items":[{"key":"key.json","path":"key.json"}]}"#,
        r#""csi":{"driver":"d","nodePublishSecretRef":{"name":"kubeconfig-b"}}"#,
        r#""projected":{"sources":null}"#,
        r#""projected":{"sources":[{"podCertificate":{"signerName":"s"}}]}"#,
        r#""projected":{"sources":[{"secret":{"name":"kubeconfig-c"}}]}"#,
        r#""hostPath":{"path":"/var/lib/kubelet"},"x":1e3"#,
    ]);
    let source = prop_oneof![
        5 => Just(injected()),
        3 => own.prop_map(projected),
        2 => others.prop_map(str::to_owned),
    ];
    (select(&VOLUMES[..]), source).prop_map(|(name, source)| format!(r#"{{"name":"{name}",{source}}}"#))
}

/// A list, or `null`. Volumes of one name twice are left out: no API server stores them.
fn list(item: impl Strategy<Value = String>, len: std::ops::Range<usize>) -> impl Strategy<Value = Option<String>> {
    let items = vec(item, len).prop_map(|items| {
        let mut names = Vec::new();
        let name =
            |item: &String| item.split(',').next().filter(|first| first.starts_with("{\"name\":\"")).map(str::to_owned);
        let is_new = |item: &String| {
            name(item).is_none_or(|name| {
                let new = !names.contains(&name) || item.contains("mountPath") || item.contains("value");
                names.push(name);
                new
            })
        };
        let items: Vec<String> = items.into_iter().filter(is_new).collect();
        Some(format!("[{}]", items.join(", ")))
    });
    prop_oneof![12 => items, 1 => Just(None)]
}

/// A field with its value (`None`: `null`), or none.
fn field(
    key: &'static str,
    value: impl Strategy<Value = Option<String>>,
    likely: f64,
) -> impl Strategy<Value = Option<String>> {
    weighted(likely, value)
        .prop_map(move |value| value.map(|value| format!("\"{key}\":{}", value.as_deref().unwrap_or("null"))))
}

fn unknown() -> impl Strategy<Value = Option<String>> {
    weighted(0.4, select(&UNKNOWN[..]).prop_map(str::to_owned))
}

/// Pairs without those whose key stands there already.
fn unique<'p>(pairs: Vec<&'p str>) -> Vec<&'p str> {
    let key = |pair: &&'p str| pair.split(':').next().unwrap_or_default();
    let mut kept: Vec<&str> = Vec::new();
    for pair in pairs {
        if !kept.iter().any(|other| key(other) == key(&pair)) {
            kept.push(pair);
        }
    }
    kept
}

fn object(fields: impl IntoIterator<Item = Option<String>>) -> String {
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    format!("{{{}}}", fields.join(","))
}
