//! Runs the built module in the engine of policy-server, with a time limit.
//!
//! The instance runs on a thread of its own and hands its questions over to the caller's thread, which answers them from a
//! [`Cluster`]. So a cluster may be borrowed, and need not be shareable between threads.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wapc::{HostCallback, WapcHost};
use wasmtime_provider::wasmtime::{Config, Engine, EngineWeak};
use wasmtime_provider::{EpochDeadlines, WasmtimeEngineProviderBuilder, WasmtimeEngineProviderPre};

use crate::cluster::Cluster;
use crate::error::{CallError, LoadError, TIME_LIMIT};
use crate::host::Reply;
use crate::host::exchange::{CallLog, Question};

/// The length of one tick of the clock that interrupts a module.
const TICK: Duration = Duration::from_millis(100);

/// A compiled module.
pub(super) struct Module {
    module: WasmtimeEngineProviderPre,
    deadlines: EpochDeadlines,
}

impl Module {
    pub(super) fn new(bytes: &[u8]) -> Result<Self, LoadError> {
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

    /// One call, in a fresh instance.
    pub(super) fn call(&self, operation: &str, payload: &[u8], cluster: &dyn Cluster) -> Result<Reply, CallError> {
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
        let callback = Box::new(move |_id: u64, binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            ask(binding, namespace, operation, payload).map_err(Into::into)
        });
        self.start(Some(callback))?.call(operation, payload).map_err(|error| match error {
            wapc::errors::Error::GuestCallFailure(text) => failure(text),
            other => CallError::Guest(other.to_string()),
        })
    }

    /// A fresh instance, started.
    pub(super) fn start(&self, callback: Option<Box<HostCallback>>) -> Result<WapcHost, CallError> {
        let fail = |reason: &dyn std::error::Error| CallError::Start(chain(reason));
        let instance = self.module.rehydrate(Some(self.deadlines)).map_err(|error| fail(&error))?;
        WapcHost::new(Box::new(instance), callback).map_err(|error| fail(&error))
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
