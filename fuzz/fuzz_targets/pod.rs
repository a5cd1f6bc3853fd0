//! Pods, settings and requesters made of the bytes.
#![no_main]

use airflow_pod_identity_fuzz::pod;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| pod::check(data).unwrap_or_else(|what| panic!("{what}")));
