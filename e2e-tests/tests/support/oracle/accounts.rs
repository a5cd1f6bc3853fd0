//! ServiceAccounts' automounting, the part of rule `service-accounts` that is covered.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::pattern::any;
use super::settings::{Action, Mode, Settings};

/// The verdict on a ServiceAccount that is created: accepted, the findings, the object.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub accepted: bool,
    pub findings: Vec<String>,
    pub account: ServiceAccount,
}

/// Judges a ServiceAccount. Overrides and exceptions are not covered here.
pub fn judge(settings: &Settings, account: &ServiceAccount) -> Answer {
    let untouched = || Answer { accepted: true, findings: Vec::new(), account: account.clone() };
    let Some(section) = &settings.service_accounts else { return untouched() };
    let action = section.failure_action.or(settings.failure_action).unwrap_or(Action::Enforce);
    let wanted = section.automount.unwrap_or(Some(false));
    let name = account.metadata.name.clone().unwrap_or_default();
    let matches = section.matches.clone().unwrap_or_default();
    let labels = account.metadata.labels.clone().unwrap_or_default();
    let by_labels = match &matches.labels {
        Some(wanted) => wanted.iter().all(|(key, value)| labels.get(key) == Some(value)),
        None => labels.get("tier").is_some_and(|tier| tier == "airflow"),
    };
    let by_name = match name.as_str() {
        "default" => matches.names.contains(&name),
        name => matches.names.is_empty() || any(&matches.names, name),
    };
    let is_as_wanted = wanted.is_none_or(|wanted| account.automount_service_account_token.unwrap_or(true) == wanted);
    if action == Action::Off || !by_labels || !by_name || is_as_wanted {
        return untouched();
    }
    let mut account = account.clone();
    if section.repair && action == Action::Enforce && settings.mode == Mode::Mutate {
        account.automount_service_account_token = wanted;
        return Answer { accepted: true, findings: Vec::new(), account };
    }
    let findings = vec!["service-accounts/account-automount automountServiceAccountToken".to_owned()];
    Answer { accepted: action == Action::Audit, findings, account }
}
