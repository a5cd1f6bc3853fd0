//! What a catalogue costs beyond passing over it.
//!
//! policy-server hands settings over with sorted keys, so `allow` comes before `secretName` and `type` here too.
//!
//! The unit is what anybody pays who receives the document and passes over it once: the same bytes, the object of
//! credentials, under a key of the request that no policy reads (`request.options`, which the module skips), less the
//! same request without them. The settings' own cost is told the same way: the request with the many under
//! `settings.credentials`, less the same request with a catalogue of one, so that the rules run that a catalogue turns on.

use serde_json::{Map, Value, json};

use super::SCHEDULER;
use crate::fuel::{FuelError, Measured, Meter};

/// A catalogue to be measured.
pub struct Catalogue<'m> {
    meter: &'m Meter,
    many: String,
    one: String,
    /// The instructions that passing over it takes.
    pub skip: u64,
}

impl<'m> Catalogue<'m> {
    /// A catalogue of so many credentials as a platform team writes it: every type by turns, each team with its own
    /// ServiceAccounts.
    ///
    /// # Errors
    /// When a call fails.
    pub fn new(meter: &'m Meter, count: usize) -> Result<Self, FuelError> {
        let entries = |count: usize| -> Map<String, Value> {
            (0..count).map(|index| (format!("team-{index:04}"), credential(index))).collect()
        };
        let settings = |credentials: &str| format!(r#"{{"credentials":{credentials}}}"#);
        let bytes = Value::Object(entries(count)).to_string();
        let one = settings(&Value::Object(entries(1)).to_string());
        let fuel = |options: &str| Ok(meter.measure(&payload(&pod(), options, &one))?.fuel);
        let skip = fuel(&bytes)? - fuel("{}")?;
        Ok(Self { meter, many: settings(&bytes), one, skip })
    }

    /// One call for an object, and how many instructions of it the catalogue took.
    ///
    /// # Errors
    /// When a call fails.
    pub fn cost(&self, object: &Value) -> Result<(Measured, u64), FuelError> {
        let measured = self.meter.measure(&payload(object, "{}", &self.many))?;
        let cost = measured.fuel - self.meter.measure(&payload(object, "{}", &self.one))?.fuel;
        Ok((measured, cost))
    }
}

/// A task pod of team 3's without annotations and without references to Secrets.
#[must_use]
pub fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "etl", "namespace": "airflow", "labels": {"kubernetes_executor": "True"}},
        "spec": {"serviceAccountName": "team-0003-etl", "containers": [{"name": "base"}]},
    })
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

/// The payload, with some text as `request.options`.
fn payload(object: &Value, options: &str, settings: &str) -> Vec<u8> {
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    let user = json!({"username": SCHEDULER, "groups": ["system:authenticated"]});
    format!(
        r#"{{"request":{{"uid":"u","kind":{kind},"name":"etl","namespace":"airflow","operation":"CREATE","userInfo":{user},"object":{object},"options":{options}}},"settings":{settings}}}"#
    )
    .into_bytes()
}
