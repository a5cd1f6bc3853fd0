//! The texts of the three annotations that task authors write.
#![no_main]

use airflow_pod_identity_fuzz::annotations;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| annotations::check(data).unwrap_or_else(|what| panic!("{what}")));
