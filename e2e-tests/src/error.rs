//! What can go wrong between a module and its host.

use std::path::PathBuf;
use std::time::Duration;

/// How long a call may take: policy-server's own default.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Why there is no policy to call.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The module's file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no WebAssembly module, or none that policy-server could run.
    #[error("not a policy module: {0}")]
    Compile(String),
}

/// Why a call has no answer. Policy-server turns each of these into an internal server error.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// An instance can't be made, or fails while it starts.
    #[error("the module does not start: {0}")]
    Start(String),
    /// The module trapped: it panicked, ran out of memory or stack, and so on.
    #[error("the module trapped: {0}")]
    Trap(String),
    /// The module was stopped at [`TIME_LIMIT`].
    #[error("the module did not answer within {} s", TIME_LIMIT.as_secs())]
    Timeout,
    /// The module answered with an error instead of a response.
    #[error("the module answered with an error: {0}")]
    Guest(String),
    /// The response is not what Kubewarden's protocol asks for.
    #[error("the module's response does not follow the protocol: {reason}: {}", beginning(raw))]
    Response {
        /// What is wrong with it.
        reason: serde_json::Error,
        /// The response.
        raw: Vec<u8>,
    },
}

/// Enough of a response to recognise it.
fn beginning(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let cut: String = text.chars().take(100).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}
