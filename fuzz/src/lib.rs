//! The policy, run natively, against its laws: what libFuzzer calls, and what replays seeds and past finds.
//!
//! ```text
//!  bytes ─► request, settings      as they are; changed as JSON by `mutate` and `graft`
//!        ─► pod, annotations       drawn from the bytes by `draw`
//!                 │
//!                 ▼
//!               Trial ─► judge ─► e2e_tests::laws ─► policy, asking a `world`
//! ```

pub mod annotations;
pub mod draw;
pub mod graft;
pub mod holders;
pub mod judge;
pub mod mutate;
pub mod names;
pub mod objects;
pub mod pod;
pub mod pool;
pub mod request;
pub mod rules;
pub mod settings;
pub mod tree;
pub mod world;
