//! What is drawn must be worth looking at: of pods drawn at random some pass, some are changed, some are denied.

use airflow_pod_identity_fuzz::draw::{Pick, Random};
use airflow_pod_identity_fuzz::pod;

#[test]
fn pods_come_to_different_ends() {
    let (mut changed, mut untouched, mut denied, mut unreadable, mut wrong) = (0, 0, 0, 0, 0);
    for seed in 0..600 {
        let mut random = Random::new(seed);
        let bytes: Vec<u8> = (0..500).map(|_| random.below(256).to_le_bytes()[0]).collect();
        let outcome = pod::outcome(&bytes).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        let count = match outcome {
            None => &mut wrong,
            Some(outcome) if outcome.mutate.code == Some(422) => &mut unreadable,
            Some(outcome) if !outcome.mutate.accepted => &mut denied,
            Some(outcome) if outcome.edits.is_empty() => &mut untouched,
            Some(_) => &mut changed,
        };
        *count += 1;
    }
    let told =
        format!("{changed} changed, {untouched} untouched, {denied} denied, {unreadable} unreadable, {wrong} wrong");
    println!("{told}");
    assert!(changed.min(untouched).min(denied) > 20 && unreadable + wrong < 300, "{told}");
}
