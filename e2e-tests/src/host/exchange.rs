//! What passes between an instance and its host while a call runs.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::verdict::HostCall;

/// A host call on its way from the instance's thread to the caller's.
pub(super) struct Question {
    pub(super) binding: String,
    pub(super) namespace: String,
    pub(super) operation: String,
    pub(super) payload: Vec<u8>,
}

impl Question {
    fn is_log(&self) -> bool {
        (&*self.binding, &*self.namespace, &*self.operation) == ("kubewarden", "tracing", "log")
    }

    fn answer(&self, cluster: &dyn Cluster) -> Result<Vec<u8>, String> {
        match (&*self.binding, &*self.namespace) {
            ("kubewarden", "kubernetes") => cluster.answer(&self.operation, &self.payload),
            (binding, namespace) => Err(format!("no such host capability: {binding} {namespace}/{}", self.operation)),
        }
    }
}

/// What an instance asked and logged so far.
#[derive(Default)]
pub(super) struct CallLog {
    pub(super) host_calls: Vec<HostCall>,
    pub(super) logs: Vec<String>,
}

impl CallLog {
    /// Answers one call and remembers it.
    pub(super) fn answer(&mut self, question: Question, cluster: &dyn Cluster) -> Result<Vec<u8>, String> {
        if question.is_log() {
            self.logs.push(String::from_utf8_lossy(&question.payload).into_owned());
            return Ok(Vec::new());
        }
        let answer = question.answer(cluster);
        self.host_calls.push(HostCall {
            payload: json_or_text(&question.payload),
            answer: answer.as_deref().map(json_or_text).map_err(Clone::clone),
            binding: question.binding,
            namespace: question.namespace,
            operation: question.operation,
        });
        answer
    }
}

fn json_or_text(bytes: &[u8]) -> Value {
    let text = || Value::String(String::from_utf8_lossy(bytes).into_owned());
    serde_json::from_slice(bytes).unwrap_or_else(|_| text())
}
