//! Answers calls with the library that this program is linked with.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cluster::Cluster;
use crate::error::CallError;
use crate::host::Reply;
use crate::host::exchange::{CallLog, Question};

/// The host, as the library knows it.
struct Asked<'c> {
    cluster: &'c dyn Cluster,
    log: RefCell<CallLog>,
}

impl Asked<'_> {
    fn call(&self, namespace: &str, operation: &str, payload: &str) -> Result<Vec<u8>, String> {
        let question = Question {
            binding: "kubewarden".to_owned(),
            namespace: namespace.to_owned(),
            operation: operation.to_owned(),
            payload: payload.as_bytes().to_vec(),
        };
        self.log.borrow_mut().answer(question, self.cluster)
    }
}

impl airflow_pod_identity::Cluster for Asked<'_> {
    fn ask(&self, operation: &str, question: &str) -> Result<Vec<u8>, String> {
        self.call("kubernetes", operation, question)
    }
}

/// One call. What would trap in the module panics here, and is told as a trap.
pub(super) fn call(operation: &str, payload: &[u8], cluster: &dyn Cluster) -> Result<Reply, CallError> {
    let asked = Asked { cluster, log: RefCell::default() };
    let run = || match operation {
        "validate" => Ok(airflow_pod_identity::validate_and_log(payload, &asked, |record| {
            // As in the module: a host that takes no log does not change the verdict.
            drop(asked.call("tracing", "log", record));
        })),
        "validate_settings" => Ok(airflow_pod_identity::validate_settings(payload)),
        _ => Err(CallError::Guest(format!("the library has no operation {operation}"))),
    };
    let panicked = |_| CallError::Trap("it panicked, as told on standard error".to_owned());
    let response = catch_unwind(AssertUnwindSafe(run)).map_err(panicked)??;
    let CallLog { host_calls, logs } = asked.log.into_inner();
    Ok(Reply { response, host_calls, logs })
}
