//! What a volume is taken for: by what it is made of, to the last field.

#![cfg(not(target_arch = "wasm32"))]

use airflow_pod_identity::credentials::is_injected;
use airflow_pod_identity::json::Reader;
use airflow_pod_identity::pod::{Outline, Pod};
use airflow_pod_identity::requirement::{ProjectedSource, VolumeSource, api_access};
use serde_json::{Map, Value, json};

/// Asks about the volume of a pod that has only this one.
fn of<T>(volume: &Value, ask: impl Fn(&Pod<'_>) -> T) -> T {
    let text = json!({"spec": {"volumes": [volume]}}).to_string();
    let pod = Pod::read(Outline::read(&mut Reader::new(&text)).unwrap()).unwrap();
    assert_eq!(pod.volumes.len(), 1);
    ask(&pod)
}

/// The field that the API knows besides those of an object, if there is one that makes a difference.
fn further(map: &Map<String, Value>) -> Option<(&'static str, Value)> {
    let has = |key| map.contains_key(key);
    if has("projected") || has("secret") {
        return Some(("emptyDir", json!({})));
    }
    if has("secretName") || has("name") && has("items") {
        return Some(("optional", json!(true)));
    }
    (has("key") || has("fieldRef")).then(|| ("mode", json!(256)))
}

/// The document with one thing changed: each text and number, a key or an element less, a key more, an element twice, two
/// elements swapped.
fn changed(document: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match document {
        Value::Object(map) => {
            // Of the fields' `apiVersion` there is one.
            for (key, value) in map.iter().filter(|(key, _)| *key != "apiVersion") {
                let with = |value: Value| {
                    let mut map = map.clone();
                    map.insert(key.clone(), value);
                    Value::Object(map)
                };
                all.extend(changed(value).into_iter().map(with));
                let mut less = map.clone();
                less.remove(key);
                all.push(Value::Object(less));
            }
            if let Some((key, value)) = further(map) {
                let mut more = map.clone();
                more.insert(key.to_owned(), value);
                all.push(Value::Object(more));
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                for value in changed(value) {
                    let mut list = list.clone();
                    list[index] = value;
                    all.push(Value::Array(list));
                }
                let mut less = list.clone();
                all.push(Value::Array({
                    less.remove(index);
                    less
                }));
                if index > 0 {
                    let mut swapped = list.clone();
                    swapped.swap(index - 1, index);
                    all.push(Value::Array(swapped));
                }
            }
            if let Some(last) = list.last() {
                all.push(Value::Array(list.iter().chain([last]).cloned().collect()));
            }
        }
        Value::String(text) => all.push(json!(format!("{text}x"))),
        Value::Number(number) => all.push(json!(number.as_i64().unwrap() + 1)),
        other => panic!("{other}"),
    }
    all
}

/// Without its name, which is asked for elsewhere.
fn unnamed(volumes: Vec<Value>, name: &str) -> Vec<Value> {
    volumes.into_iter().filter(|volume| volume["name"] == name).collect()
}

fn sources() -> Vec<VolumeSource> {
    let text = str::to_owned;
    let token = ProjectedSource::token("sts.amazonaws.com", 7200, "token");
    let annotation = ProjectedSource::Annotation { key: text("airflow-pod-identity/gcp-a"), path: text("config.json") };
    vec![
        VolumeSource::Secret { secret: text("team-a"), items: Vec::new() },
        VolumeSource::Secret { secret: text("team-a"), items: vec![(text("key.json"), text("key.json"))] },
        VolumeSource::Secret { secret: text("team-a"), items: vec![(text("a"), text("b")), (text("c"), text("d"))] },
        VolumeSource::Projected(vec![token.clone()]),
        VolumeSource::Projected(vec![token, annotation]),
        VolumeSource::ApiAccess { audience: None, expiration: 7200 },
        VolumeSource::ApiAccess { audience: Some(text("https://api.example.com")), expiration: 7200 },
    ]
}

#[test]
fn a_volume_is_what_it_was_made_as_and_nothing_near_it() {
    let mut asked = 0;
    for source in sources() {
        let volume: Value = serde_json::from_str(&source.json("v")).unwrap();
        assert!(of(&volume, |pod| source.is(&pod.volumes[0])), "{volume}");
        for near in unnamed(changed(&volume), "v") {
            // The default mode is the API server's to fill in.
            let filled = near.pointer("/projected/defaultMode").is_none()
                && near.pointer("/projected/sources").is_some()
                && near.pointer("/projected/sources") == volume.pointer("/projected/sources")
                && near.get("emptyDir").is_none();
            assert_eq!(of(&near, |pod| source.is(&pod.volumes[0])), filled, "{near}");
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
}

#[test]
fn what_the_api_server_makes_is_told_from_what_looks_like_it() {
    let made = VolumeSource::ApiAccess { audience: None, expiration: 3607 };
    let volume: Value = serde_json::from_str(&made.json("v")).unwrap();
    let ask = |volume: &Value| {
        of(volume, |pod| {
            let found = pod.volumes[0].projected.as_ref().and_then(api_access);
            found.map(|(audience, seconds)| (audience.to_owned(), seconds))
        })
    };
    assert_eq!(ask(&volume), Some((String::new(), 3607)));
    let sources = "/projected/sources";
    for near in unnamed(changed(&volume), "v") {
        let same = near.pointer(sources) == volume.pointer(sources);
        let mode = near.pointer("/projected/defaultMode").is_none_or(|mode| mode == 420);
        let token = near.pointer("/projected/sources/0/serviceAccountToken").cloned().unwrap_or_default();
        let rest = |of: &Value| of.pointer(sources).and_then(Value::as_array).map(|list| list[1..].to_vec());
        let seconds = token.get("expirationSeconds").map_or(3600, |seconds| seconds.as_i64().unwrap());
        // Only the token's validity may differ, and what stands beside the projection is for others to judge.
        let expected = if same && mode {
            Some((String::new(), 3607))
        } else if mode
            && rest(&near) == rest(&volume)
            && near.pointer("/projected/sources/0").and_then(Value::as_object).is_some_and(|source| source.len() == 1)
            && token
                .as_object()
                .is_some_and(|token| token.keys().all(|key| key == "path" || key == "expirationSeconds"))
            && token["path"] == "token"
        {
            Some((String::new(), seconds))
        } else {
            None
        };
        assert_eq!(ask(&near), expected, "{near}");
    }
    let other = VolumeSource::ApiAccess { audience: Some("vault".to_owned()), expiration: 3600 };
    assert_eq!(ask(&serde_json::from_str(&other.json("v")).unwrap()), Some(("vault".to_owned(), 3600)));
}

#[test]
fn what_was_injected_is_told_by_its_name_and_its_files() {
    let secret = |name: &str, items: &[&str]| {
        let items: Vec<Value> = items.iter().map(|path| json!({"key": path, "path": path})).collect();
        json!({"name": name, "secret": {"secretName": "s", "items": items}})
    };
    let whole = |name: &str| json!({"name": name, "secret": {"secretName": "s"}});
    let projected = |name: &str, files: &[&str]| {
        let source = |(index, path): (usize, &&str)| match index {
            0 => json!({"serviceAccountToken": {"audience": "a", "path": path}}),
            _ => json!({"downwardAPI": {"items": [{"path": path, "fieldRef": {"fieldPath": "metadata.name"}}]}}),
        };
        let sources: Vec<Value> = files.iter().enumerate().map(source).collect();
        json!({"name": name, "projected": {"sources": sources}})
    };
    let downward = json!({"name": "custom-token-a", "projected": {"sources": [
        {"downwardAPI": {"items": [{"path": "token", "fieldRef": {"fieldPath": "metadata.name"}}]}}]}});
    let empty = json!({"name": "custom-files-a", "emptyDir": {}});
    let both = json!({"name": "custom-files-a", "secret": {"secretName": "s"}, "projected": {"sources": []}});
    let rows = VOLUMES.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let mut words = line.split_whitespace();
        let (made, kind, name) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let files: Vec<&str> = words.collect();
        let volume = match kind {
            "secret" if files.is_empty() => whole(name),
            "secret" => secret(name, &files),
            _ => projected(name, &files),
        };
        (volume, made == "yes")
    });
    let odd = [(downward, false), (empty, false), (both, false)];
    for (volume, expected) in rows.chain(odd) {
        assert_eq!(of(&volume, |pod| is_injected(&pod.volumes[0])), expected, "{volume}");
    }
}

/// Whether it was injected, what it is, its name, its files.
const VOLUMES: &str = "
yes secret    aws-etl                 credentials
yes secret    azure-etl               certificate
yes secret    custom-files-etl
yes secret    custom-files-etl        a b
yes secret    gcp-etl                 key.json
yes projected aws-iam-token           token
yes projected eks-pod-identity-token  eks-pod-identity-token
yes projected azure-identity-token    azure-identity-token
yes projected custom-token-etl        anything
yes projected custom-token-etl        two files
yes projected gcp-etl                 token key.json
yes projected vault-etl               token
no  secret    aws-etl
no  secret    aws-etl                 other
no  secret    azure-etl               certificate other
no  secret    my-custom-files-etl
no  secret    gcp-etl                 key.json other
no  secret    gcp-etl
no  secret    other                   key.json
no  secret    aws-iam-token           token
no  secret    eks-pod-identity-token  eks-pod-identity-token
no  secret    azure-identity-token    azure-identity-token
no  secret    custom-token-etl
no  secret    vault-etl               token
no  projected aws-etl                 credentials
no  projected azure-etl               certificate
no  projected custom-files-etl        token
no  projected gcp-etl                 key.json
no  projected gcp-etl                 token
no  projected gcp-etl                 key.json token
no  projected aws-iam-token           other
no  projected eks-pod-identity-token  token
no  projected azure-identity-token    token
no  projected vault-etl               token other
no  projected other                   token
";
