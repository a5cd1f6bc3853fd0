//! Law 3 holds where every rule enforces: whether the settings say so.

use serde_json::Value;

/// Whether nothing in the settings turns a finding into a mere report.
#[must_use]
pub fn enforces_everything(settings: &Value) -> bool {
    let sections = [&settings["tokenMounts"], &settings["credentialInjection"], settings];
    let overrides = settings["failureActionOverrides"].as_array().map_or(&[][..], Vec::as_slice);
    let airflow_pods = settings["tokenMounts"]["airflowPods"].as_str().unwrap_or("Audit");
    airflow_pods != "Audit"
        && sections.iter().all(|section| section["failureAction"] != "Audit")
        && overrides.iter().all(|entry| entry["action"] != "Audit")
}
