//! A Kubewarden policy for Apache Airflow on Kubernetes: it injects the credentials that a task pod asks for and may
//! have, and keeps Kubernetes API tokens away from containers that need none.
//!
//! ```text
//! payload ─► request ─► pod ──► who is it ─┐         settings
//!                        │                 │            │
//!                        ▼                 ▼            ▼
//!               rules/*  (credentials + credentials/*, …)    standing
//!                 │    ▲
//!                 │    └── cluster (lookups)
//!                 │
//!                        └───────┬─────────┘
//!                Demands: repairs (requirements) and findings
//!                                │
//!                              plan       what is wanted − what is there = changes + findings
//!                                │
//!                             verdict     by mode, action, exceptions, the stored object
//!                                │
//!                            response     accept │ deny with all reasons │ mutate
//! ```
//!
//! `validate` tells the plan's changes as findings, `mutate` splices them into the request's own text. No rule knows
//! which mode runs. Nothing here depends on the host: [`guest`](crate) code is compiled for wasm32-wasip1 alone.

#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::todo,
        clippy::unreachable
    )
)]

mod annotation;
pub mod cluster;
pub mod credentials;
mod explain;
pub mod finding;
#[cfg(target_os = "wasi")]
mod guest;
pub mod json;
mod judge;
pub mod jwt;
pub mod names;
pub mod plan;
pub mod pod;
pub mod request;
pub mod requirement;
pub mod response;
pub mod rules;
pub mod settings;
pub mod sorted;
mod standing;
mod verdict;
pub mod who;

pub use cluster::Cluster;
pub use explain::explain;

/// Judges a request: `{"request": AdmissionRequest, "settings": …}` in, Kubewarden's ValidationResponse out, both JSON.
/// Whatever can't be read is denied with code 422. `cluster` is asked only where a rule must know what the request does
/// not say.
#[must_use]
pub fn validate(payload: &[u8], cluster: &dyn Cluster) -> Vec<u8> {
    judge::judge(payload, cluster).json()
}

/// Like [`validate`]; `log` is given the record for the policy server's log, if there is something to say.
#[must_use]
pub fn validate_and_log(payload: &[u8], cluster: &dyn Cluster, log: impl FnOnce(&str)) -> Vec<u8> {
    let response = judge::judge(payload, cluster);
    if let Some(record) = response.record() {
        log(&record);
    }
    response.json()
}

/// The most problems that a settings document's message tells one by one.
const PROBLEMS: usize = 100;

/// Judges a settings document: Kubewarden's SettingsValidationResponse, whose message tells its problems at once.
#[must_use]
pub fn validate_settings(document: &[u8]) -> Vec<u8> {
    let mut problems = match std::str::from_utf8(document) {
        Err(_) => vec![String::from("the settings are not valid UTF-8")],
        Ok(text) => {
            settings::Settings::problems(text).unwrap_or_else(|why| vec![format!("the settings can't be read: {why}")])
        }
    };
    if problems.is_empty() {
        return br#"{"valid":true}"#.to_vec();
    }
    let count = problems.len();
    if count > PROBLEMS {
        problems.truncate(PROBLEMS);
        problems.push(format!("and {} more", count - PROBLEMS));
    }
    let heading = if count == 1 { String::from("1 problem") } else { format!("{count} problems") };
    let message = format!("{heading} in the settings\n- {}", problems.join("\n- "));
    json::ObjectWriter::default().raw("valid", "false").text("message", &message).finish().into_bytes()
}
