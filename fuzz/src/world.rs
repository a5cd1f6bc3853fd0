//! What answers the policy's lookups: always the same, so that one input has one verdict.

use airflow_pod_identity::Cluster;
use serde_json::{Value, json};

/// A cluster that answers every question in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Nobody answers.
    Silent,
    /// Everything that is asked for is there, and everybody may do everything.
    Full,
    /// Nothing is there, and nobody may do anything.
    Empty,
    /// The answers are JSON, and say nothing.
    Odd,
}

impl World {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Silent, Self::Full, Self::Empty, Self::Odd];

    /// The world of a name, which a payload may hold under `world`: a key that the policy passes over.
    #[must_use]
    pub fn named(name: Option<&str>) -> Self {
        match name {
            Some("full") => Self::Full,
            Some("empty") => Self::Empty,
            Some("odd") => Self::Odd,
            _ => Self::Silent,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Full => "full",
            Self::Empty => "empty",
            Self::Odd => "odd",
        }
    }
}

impl Cluster for World {
    fn ask(&self, operation: &str, question: &str) -> Result<Vec<u8>, String> {
        let question: Value = serde_json::from_str(question).expect("the policy asks in JSON");
        let annotations = json!({
            "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/airflow",
            "iam.gke.io/gcp-service-account": "etl@my-project.iam.gserviceaccount.com",
        });
        let answer = match (self, operation) {
            (Self::Silent, _) => return Err("there is no cluster to ask".to_owned()),
            (Self::Odd, _) => json!([]),
            (_, "can_i") => json!({"allowed": *self == Self::Full}),
            (Self::Empty, _) => {
                let (kind, name) = (&question["kind"], &question["name"]);
                let [kind, name] = [kind, name].map(|text| text.as_str().unwrap_or_default());
                return Err(format!("Cannot find v1/{kind} named '{name}' inside of namespace"));
            }
            (Self::Full, _) => json!({"metadata": {"name": question["name"], "annotations": annotations}}),
        };
        Ok(answer.to_string().into_bytes())
    }
}
