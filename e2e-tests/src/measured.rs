//! What is measured, defined once for the baseline's test, for `bench` and for the benchmark of wall times.
//!
//! ```text
//!  calls    a fixed set  ─┐
//!  curves   growth        ├─► fuel ──────► Figures: baseline.json, tables, limits ─┬─► docs/performance.md, `bench`
//!  corpora  task pods     │                                                        │
//!  catalogue              ┘                                              chart ────┤
//!  benches/calls.rs ─► criterion ─► Times ─────────────────────────────────────────┘
//! ```

mod calls;
pub mod catalogue;
pub mod chart;
mod corpora;
mod curves;
mod figures;
mod limits;
pub mod page;
mod pods;
mod times;

pub use calls::calls;
pub use corpora::created;
pub use curves::curves;
pub use figures::{Figures, Row, Series};
pub use limits::Limit;
pub use times::{CALLS, COMPILE, INSTANTIATE, Judge, MODULE, Times};

/// The launcher of task pods.
pub const SCHEDULER: &str = "system:serviceaccount:airflow:airflow-scheduler";

/// The creator of a component's pods.
pub const REPLICASETS: &str = "system:serviceaccount:kube-system:replicaset-controller";

/// One call that is measured.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is sent.
    pub name: String,
    /// The bytes that the policy server hands to `validate`.
    pub payload: Vec<u8>,
}

/// Calls that differ in the count of one thing.
#[derive(Debug, Clone)]
pub struct Curve {
    /// What is counted.
    pub name: &'static str,
    /// The calls, each named by its count.
    pub points: Vec<Call>,
}
