//! Loads the module and calls it as policy-server does: compiled once, one fresh instance for each call, a time limit.
//!
//! The instance runs on a thread of its own and hands its questions over to the caller's thread, which answers them from a
//! [`Cluster`]. So a cluster may be borrowed, and need not be shareable between threads.

mod exchange;

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use wapc::WapcHost;
use wasmtime_provider::wasmtime::{Config, Engine, EngineWeak};
use wasmtime_provider::{EpochDeadlines, WasmtimeEngineProviderBuilder, WasmtimeEngineProviderPre};

use crate::cluster::{Cluster, NoCluster};
pub use crate::error::{CallError, LoadError, TIME_LIMIT};
use crate::host::exchange::{CallLog, Question};
use crate::verdict::{HostCall, SettingsVerdict, Verdict};

/// The length of one tick of the clock that interrupts a module.
const TICK: Duration = Duration::from_millis(100);

/// A compiled policy module.
pub struct Policy {
    module: WasmtimeEngineProviderPre,
    deadlines: EpochDeadlines,
}

/// A call's response, not yet looked into.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What the module answered.
    pub response: Vec<u8>,
    /// The questions that it asked, in order.
    pub host_calls: Vec<HostCall>,
    /// The lines that it logged.
    pub logs: Vec<String>,
}

/// The bytes that policy-server hands to `validate`.
#[must_use]
pub fn payload<R: Serialize, S: Serialize>(request: &R, settings: &S) -> Vec<u8> {
    #[derive(Serialize)]
    struct Payload<'a, R, S> {
        request: &'a R,
        settings: &'a S,
    }
    serde_json::to_vec(&Payload { request, settings }).unwrap_or_default()
}

impl Policy {
    /// Reads and compiles the module in a file.
    ///
    /// # Errors
    /// When the file can't be read, or is no policy module.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
    }

    /// Compiles a module: WebAssembly, or its text format.
    ///
    /// # Errors
    /// When the bytes are no module, or one that imports what policy-server does not offer.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        // Without it a trap's text is the list of functions, and the reason is lost.
        config.wasm_backtrace_max_frames(None);
        let engine = Engine::new(&config).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        let module = WasmtimeEngineProviderBuilder::new()
            .engine(engine.clone())
            .module_bytes(bytes)
            .build_pre()
            .map_err(|error| LoadError::Compile(chain(&error)))?;
        start_clock(engine.weak());
        let ticks = u64::try_from(TIME_LIMIT.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX);
        Ok(Self { module, deadlines: EpochDeadlines { wapc_init: ticks, wapc_func: ticks } })
    }

    /// Judges an AdmissionRequest.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn validate(&self, request: &Value, settings: &Value, cluster: &dyn Cluster) -> Result<Verdict, CallError> {
        self.validate_payload(&payload(request, settings), cluster)
    }

    /// Judges a payload, byte for byte as given.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn validate_payload(&self, payload: &[u8], cluster: &dyn Cluster) -> Result<Verdict, CallError> {
        let Reply { response, host_calls, logs } = self.call("validate", payload, cluster)?;
        Verdict::new(response.clone(), host_calls, logs).map_err(|reason| CallError::Response { reason, raw: response })
    }

    /// Hands any bytes to `validate` and returns whatever comes back.
    ///
    /// # Errors
    /// When the module fails.
    pub fn validate_raw(&self, payload: &[u8], cluster: &dyn Cluster) -> Result<Vec<u8>, CallError> {
        Ok(self.call("validate", payload, cluster)?.response)
    }

    /// Asks the module what it thinks of settings, as policy-server does when it starts.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn validate_settings(&self, settings: &Value) -> Result<SettingsVerdict, CallError> {
        let payload = serde_json::to_vec(settings).unwrap_or_default();
        let raw = self.call("validate_settings", &payload, &NoCluster)?.response;
        serde_json::from_slice(&raw).map_err(|reason| CallError::Response { reason, raw })
    }

    /// The version of Kubewarden's protocol that the module speaks, such as `v1`.
    ///
    /// # Errors
    /// When the module fails, or its response does not follow the protocol.
    pub fn protocol_version(&self) -> Result<String, CallError> {
        let raw = self.call("protocol_version", b"", &NoCluster)?.response;
        serde_json::from_slice(&raw).map_err(|reason| CallError::Response { reason, raw })
    }

    /// Calls any operation of the module in a fresh instance.
    ///
    /// # Errors
    /// When the module fails.
    pub fn call(&self, operation: &str, payload: &[u8], cluster: &dyn Cluster) -> Result<Reply, CallError> {
        let (questions, inbox) = mpsc::channel();
        thread::scope(|scope| {
            let guest = scope.spawn(|| {
                let ask = move |binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
                    let (reply, answer) = mpsc::sync_channel(1);
                    let question = Question {
                        binding: binding.to_owned(),
                        namespace: namespace.to_owned(),
                        operation: operation.to_owned(),
                        payload: payload.to_vec(),
                    };
                    let gone = "the host is gone";
                    questions.send((question, reply)).map_err(|_| gone.to_owned())?;
                    answer.recv().map_err(|_| gone.to_owned())?
                };
                self.run(operation, payload, ask)
            });
            let mut log = CallLog::default();
            // Ends when the instance is gone, and with it the sender.
            for (question, reply) in inbox {
                // A module that was interrupted meanwhile no longer listens.
                let _ = reply.send(log.answer(question, cluster));
            }
            let response = guest
                .join()
                .unwrap_or_else(|_| Err(CallError::Trap("it handed over an address outside its memory".to_owned())))?;
            Ok(Reply { response, host_calls: log.host_calls, logs: log.logs })
        })
    }

    /// One call of one fresh instance, on the current thread.
    fn run<F>(&self, operation: &str, payload: &[u8], ask: F) -> Result<Vec<u8>, CallError>
    where
        F: Fn(&str, &str, &str, &[u8]) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    {
        let start = |reason: &dyn std::error::Error| CallError::Start(chain(reason));
        let instance = self.module.rehydrate(Some(self.deadlines)).map_err(|error| start(&error))?;
        let callback = Box::new(move |_id: u64, binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            ask(binding, namespace, operation, payload).map_err(Into::into)
        });
        let host = WapcHost::new(Box::new(instance), Some(callback)).map_err(|error| start(&error))?;
        host.call(operation, payload).map_err(|error| match error {
            wapc::errors::Error::GuestCallFailure(text) => failure(text),
            other => CallError::Guest(other.to_string()),
        })
    }
}

/// The provider reports traps and the guest's own errors alike, as text.
fn failure(text: String) -> CallError {
    if text.contains("execution deadline exceeded") {
        CallError::Timeout
    } else if let Some(reason) = text.strip_prefix("wasm trap: ") {
        CallError::Trap(reason.to_owned())
    } else {
        CallError::Guest(text)
    }
}

/// Advances the engine's clock until the engine is dropped.
fn start_clock(engine: EngineWeak) {
    thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    });
}

/// An error with everything that caused it, each text once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
