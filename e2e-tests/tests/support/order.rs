//! A request's keys may come in any order.

use std::collections::BTreeSet;

use crate::answer;

#[test]
fn the_order_of_a_requests_keys_makes_no_difference() {
    let token = r#""volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}]"#;
    let mount = r#""volumeMounts":[{"name":"v","mountPath":"/v"}]"#;
    let pod = |labels: &str, spec: &str| {
        format!(r#"{{"kind":"Pod","metadata":{{"labels":{{{labels}}}}},"spec":{{{spec}}}}}"#)
    };
    let airflow = r#""tier":"airflow""#;
    let objects = [
        pod("", &format!(r#""containers":[{{"name":"a",{mount}}}],{token}"#)),
        pod(airflow, &format!(r#""containers":[{{"name":"a",{mount}}}],{token}"#)),
        pod(airflow, r#""containers":[{"name":"a"}]"#),
        pod(airflow, r#""containers":7"#),
        r#"{"kind":"Job"}"#.to_owned(),
        "null".to_owned(),
    ];
    let settings = r#"{"tokenMounts":{"airflowPods":"Enforce","requireAutomountFalse":true}}"#;
    let mut seen = BTreeSet::new();
    for object in &objects {
        for operation in ["CREATE", "UPDATE"] {
            let kind = r#""kind":{"kind":"Pod","version":"v1","group":""}"#;
            let (object, old) = (format!(r#""object":{object}"#), format!(r#""oldObject":{}"#, objects[2]));
            let rest = format!(r#""operation":"{operation}","namespace":"airflow","userInfo":{{"username":"jane"}}"#);
            let usual = format!(r#"{{"request":{{{kind},{rest},{object},{old}}},"settings":{settings}}}"#);
            let verdict = answer(&usual).raw;
            let (object, old, rest) = (object.as_str(), old.as_str(), rest.as_str());
            for fields in [[object, old, rest, kind], [old, rest, object, kind], [rest, object, kind, old]] {
                let request = fields.join(",");
                let payload = format!(r#"{{"settings":{settings},"request":{{{request}}}}}"#);
                assert_eq!(answer(&payload).raw, verdict, "{payload}");
            }
            seen.insert(verdict);
        }
    }
    assert_eq!(seen.len(), 6, "accepted, changed, denied for a token, and refused for three reasons");
}
