//! `review --explain`: which setting decided each point.

use crate::setup::{Files, stdout};

const SETTINGS: &str = r#"
rbac: {failureAction: Enforce, components: [{name: scheduler, access: [pod-launcher]}]}
podOperator: {}
tokenMounts: {serviceAccountTokenVolume: {enabled: true}}
serviceAccounts:
  repair: true
  match: {labels: {tier: airflow}}
  roles:
    - {annotation: iam.gke.io/gcp-service-account, value: etl@p.iam.gserviceaccount.com, namespaces: [airflow], components: [worker, scheduler]}
"#;

const CLUSTER: &str = "serviceAccounts: []";

fn explained(settings: &str, user: &str, object: &str, status: i32) -> String {
    let files = Files::new(&[("settings.yaml", settings), ("cluster.yaml", CLUSTER), ("object.yaml", object)]);
    let arguments =
        ["--explain", "--settings", "settings.yaml", "--cluster", "cluster.yaml", "--user", user, "object.yaml"];
    stdout(&files.review(&arguments), status)
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found.trim() == *line), "{line:?} is not in {text}");
    }
}

#[test]
fn of_a_service_account_what_it_should_be() {
    let account = |labels: &str| {
        format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: airflow-worker, namespace: airflow{labels}}}")
    };
    let text = explained(SETTINGS, "helm", &account(", labels: {tier: airflow, component: worker}"), 0);
    has(
        &text,
        &[
            "rule service-accounts: Enforce (`failureAction`), differences are mended",
            "automountServiceAccountToken: should be false, is absent, which means true",
            "roles that it should have: `iam.gke.io/gcp-service-account=etl@p.iam.gserviceaccount.com`",
            "identities that nobody granted: Enforce",
        ],
    );
    let text = explained(SETTINGS, "helm", &account(""), 0);
    has(
        &text,
        &[
            "automountServiceAccountToken: left alone, `serviceAccounts.match` does not match",
            "roles that it should have: none",
        ],
    );
    let text = explained("{}", "helm", &account(""), 0);
    has(&text, &["rule service-accounts: Off (`serviceAccounts` is absent)"]);
}

#[test]
fn of_a_pod_which_rules_ask_the_cluster() {
    let pod = |labels: &str, account: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: airflow, labels: {labels}}}\n\
             spec: {{serviceAccountName: {account}, automountServiceAccountToken: false, containers: [{{name: base}}]}}"
        )
    };
    let operator = pod("{kubernetes_pod_operator: \"True\"}", "etl");
    let text = explained(SETTINGS, "system:serviceaccount:airflow:airflow-worker", &operator, 1);
    has(
        &text,
        &[
            "rule pod-operator: Enforce (`failureAction`)",
            "rule rbac: Enforce (`rbac.failureAction`), asks whether `system:serviceaccount:airflow:airflow-worker` may \
             follow this task pod",
        ],
    );
    let scheduler = pod("{tier: airflow, component: scheduler}", "airflow-scheduler");
    let text = explained(SETTINGS, "system:serviceaccount:kube-system:replicaset-controller", &scheduler, 1);
    has(
        &text,
        &[
            "rule rbac: Enforce (`rbac.failureAction`), asks whether ServiceAccount `airflow-scheduler` has the access \
             that its component needs",
            "rule service-accounts: Audit (`serviceAccounts.workloads`), ServiceAccount `airflow-scheduler` should have \
             `iam.gke.io/gcp-service-account=etl@p.iam.gserviceaccount.com`",
        ],
    );
    let text = explained(SETTINGS, "jane", &operator, 0);
    assert!(
        text.contains("asks nothing: neither a listed component's pod nor a task pod made by a ServiceAccount"),
        "{text}"
    );
}
