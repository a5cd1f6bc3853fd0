//! Arbitrary bytes as the whole payload; what is JSON is changed as JSON too.
#![no_main]

use airflow_pod_identity_fuzz::{graft, mutate, request};
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| request::check(data).unwrap_or_else(|what| panic!("{what}")));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});

fuzz_crossover!(|data1: &[u8], data2: &[u8], out: &mut [u8], seed: u32| { graft::json(data1, data2, out, seed) });
