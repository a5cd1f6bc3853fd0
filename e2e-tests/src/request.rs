//! Builds AdmissionRequests, the way the API server fills them in.

use serde_json::{Map, Value, json};

/// The kinds that the policy knows, and the RBAC kinds that examples contain: kind, group, version, plural.
const KINDS: [(&str, &str, &str, &str); 12] = [
    ("Pod", "", "v1", "pods"),
    ("ServiceAccount", "", "v1", "serviceaccounts"),
    ("ReplicationController", "", "v1", "replicationcontrollers"),
    ("PodTemplate", "", "v1", "podtemplates"),
    ("Deployment", "apps", "v1", "deployments"),
    ("StatefulSet", "apps", "v1", "statefulsets"),
    ("DaemonSet", "apps", "v1", "daemonsets"),
    ("ReplicaSet", "apps", "v1", "replicasets"),
    ("Job", "batch", "v1", "jobs"),
    ("CronJob", "batch", "v1", "cronjobs"),
    ("Role", "rbac.authorization.k8s.io", "v1", "roles"),
    ("RoleBinding", "rbac.authorization.k8s.io", "v1", "rolebindings"),
];

/// The namespace of an object that names none, unless another one is given.
pub const DEFAULT_NAMESPACE: &str = "airflow";

const UID: &str = "1299d386-525b-4032-98ae-1949f69f9cfc";

/// An AdmissionRequest in the making.
///
/// Without a user it is the request of an audit scan, which posts existing objects without `userInfo`, `options` and `dryRun`.
///
/// ```
/// use e2e_tests::request::Request;
/// use serde_json::json;
///
/// let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "etl", "namespace": "airflow"}});
/// let request = Request::create(pod).user("system:serviceaccount:airflow:airflow-scheduler").build();
/// assert_eq!(request["resource"]["resource"], "pods");
/// assert_eq!(request["userInfo"]["groups"][1], "system:serviceaccounts:airflow");
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    object: Value,
    old: Option<Value>,
    operation: String,
    user: Option<String>,
    groups: Option<Vec<String>>,
    namespace: Option<String>,
    subresource: Option<String>,
    dry_run: bool,
}

impl Request {
    /// The request that creates an object.
    #[must_use]
    pub fn create(object: Value) -> Self {
        Self {
            object,
            old: None,
            operation: "CREATE".to_owned(),
            user: None,
            groups: None,
            namespace: None,
            subresource: None,
            dry_run: false,
        }
    }

    /// The request that makes `object` of `old`.
    #[must_use]
    pub fn update(object: Value, old: Value) -> Self {
        Self::create(object).operation("UPDATE").old(old)
    }

    /// The request that deletes an object.
    #[must_use]
    pub fn delete(object: Value) -> Self {
        Self::create(object).operation("DELETE")
    }

    /// Who makes the request. Its groups follow from the name, unless [`Request::groups`] gives them.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// The requester's groups.
    #[must_use]
    pub fn groups<S: Into<String>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        self.groups = Some(groups.into_iter().map(Into::into).collect());
        self
    }

    /// The operation, in capitals: `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = operation.into();
        self
    }

    /// The object before the request.
    #[must_use]
    pub fn old(mut self, old: Value) -> Self {
        self.old = Some(old);
        self
    }

    /// The subresource, such as `ephemeralcontainers`.
    #[must_use]
    pub fn subresource(mut self, name: impl Into<String>) -> Self {
        self.subresource = Some(name.into());
        self
    }

    /// The request's namespace, whatever the object says.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Whether nothing is to be stored.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// The AdmissionRequest.
    #[must_use]
    pub fn build(self) -> Value {
        let (kind, resource) = kind_and_resource(&self.object);
        let metadata = &self.object["metadata"];
        let text = |key: &str| metadata[key].as_str().filter(|text| !text.is_empty());
        let namespace = self.namespace.as_deref().or(text("namespace")).unwrap_or(DEFAULT_NAMESPACE);
        let mut request = json!({
            "uid": UID,
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": text("name").unwrap_or_default(),
            "namespace": namespace,
            "operation": self.operation,
        });
        if let Some(user) = &self.user {
            let groups = self.groups.clone().unwrap_or_else(|| groups_of(user));
            request["userInfo"] = json!({ "username": user, "groups": groups });
            request["options"] = options(&self.operation);
        }
        if self.user.is_some() || self.dry_run {
            request["dryRun"] = self.dry_run.into();
        }
        if let Some(subresource) = self.subresource {
            request["subResource"] = subresource.clone().into();
            request["requestSubResource"] = subresource.into();
        }
        if self.operation == "DELETE" {
            request["oldObject"] = self.object;
            request["object"] = Value::Null;
        } else {
            request["object"] = self.object;
            if let Some(old) = self.old {
                request["oldObject"] = old;
            }
        }
        request
    }
}

/// The groups that the API server gives a user: those of ServiceAccounts for a ServiceAccount, else that of everybody.
#[must_use]
pub fn groups_of(user: &str) -> Vec<String> {
    let account = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let mut groups = Vec::new();
    if let Some((namespace, _)) = account {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    groups.push("system:authenticated".to_owned());
    groups
}

/// Replaces the requester of an AdmissionRequest.
pub fn set_user(request: &mut Map<String, Value>, user: &str, groups: Option<&[String]>) {
    let groups = groups.map_or_else(|| groups_of(user), <[String]>::to_vec);
    request.insert("userInfo".to_owned(), json!({ "username": user, "groups": groups }));
}

fn options(operation: &str) -> Value {
    let mut letters = operation.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = letters.as_str().to_ascii_lowercase();
    let kind = format!("{}{rest}Options", first.map(String::from).unwrap_or_default());
    json!({ "kind": kind, "apiVersion": "meta.k8s.io/v1" })
}

/// The object's kind and the resource that it is found under.
fn kind_and_resource(object: &Value) -> (Value, Value) {
    let kind = object["kind"].as_str().unwrap_or_default();
    let known = KINDS.iter().find(|(name, ..)| *name == kind);
    let (group, version) = match object["apiVersion"].as_str() {
        Some(api_version) => api_version.split_once('/').unwrap_or(("", api_version)),
        None => known.map_or(("", "v1"), |(_, group, version, _)| (*group, *version)),
    };
    let plural = known.map_or_else(|| format!("{}s", kind.to_lowercase()), |(.., plural)| (*plural).to_owned());
    (
        json!({ "group": group, "version": version, "kind": kind }),
        json!({ "group": group, "version": version, "resource": plural }),
    )
}
