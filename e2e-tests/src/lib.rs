//! The policy's embedded host: it runs the built module as policy-server does, one fresh instance for each request.
//!
//! ```text
//!  files, standard input            Fixture (YAML): what the cluster answers
//!          │ documents                     │ cluster
//!        input ──► request                 │ get_resource, list_resources_*, can_i
//!                     │                    ▼
//!                     └─► {"request", "settings"} ─► host ─► module ─► Verdict ─► diff, review
//!                                              └───► fuel: instructions and memory of one call ─► measured, bench; profile
//! ```
//!
//! Three programs are made of it: `review` judges manifests before anything is installed, `bench` measures the module,
//! `profile` tells where its bytes and instructions go.
//! The tests use the same parts, so what a test sees is what a user sees and what policy-server does.

pub mod cluster;
pub mod diff;
pub mod documents;
pub mod error;
#[cfg(feature = "engine")]
pub mod fuel;
pub mod generated;
pub mod host;
pub mod input;
pub mod laws;
#[cfg(feature = "engine")]
pub mod measured;
pub mod ordered;
#[cfg(feature = "engine")]
pub mod profile;
pub mod request;
pub mod settings;
pub mod testing;
pub mod verdict;
