//! Wall times: a call in a fresh instance, the same call of a module that does nothing, and the policy's native code; and
//! what comes before a call. `bench --times` prints what is found.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use e2e_tests::cluster::NoCluster;
use e2e_tests::host::Policy;
use e2e_tests::measured::{CALLS, COMPILE, Call, INSTANTIATE, Judge, MODULE, calls, curves};
use e2e_tests::testing::{module, nothing, policy};

type Group<'c> = BenchmarkGroup<'c, WallTime>;

fn group<'c>(criterion: &'c mut Criterion, name: &str, samples: usize, milliseconds: u64) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    let time = Duration::from_millis(milliseconds);
    group.sample_size(samples).warm_up_time(time / 4).measurement_time(time);
    group
}

fn before_a_call(criterion: &mut Criterion) {
    let bytes = std::fs::read(module()).expect("the module");
    let mut group = group(criterion, MODULE, 10, 2_000);
    group.bench_function(COMPILE, |bench| bench.iter(|| Policy::from_bytes(&bytes).expect("a module")));
    group.bench_function(INSTANTIATE, |bench| bench.iter(|| policy().start().expect("an instance")));
}

fn measure(group: &mut Group<'_>, calls: &[Call]) {
    let (nothing, native) = (Policy::load(nothing()).expect("a module"), Policy::linked());
    for judge in Judge::ALL {
        let policy = match judge {
            Judge::Policy => policy(),
            Judge::Nothing => &nothing,
            Judge::Native => &native,
        };
        for Call { name, payload } in calls {
            group.bench_function(BenchmarkId::new(judge.id(), name), |bench| {
                bench.iter(|| policy.validate_raw(payload, &NoCluster).expect("an answer"));
            });
        }
    }
}

fn fixed_set(criterion: &mut Criterion) {
    measure(&mut group(criterion, CALLS, 20, 1_500), &calls());
}

fn growth(criterion: &mut Criterion) {
    for curve in curves() {
        measure(&mut group(criterion, curve.name, 10, 400), &curve.points);
    }
}

criterion_group!(times, before_a_call, fixed_set, growth);
criterion_main!(times);
