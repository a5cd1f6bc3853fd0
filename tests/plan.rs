//! The plan: what stands in a repair's way, and that what is not made leaves nothing behind.

#![cfg(not(target_arch = "wasm32"))]

use airflow_pod_identity::finding::{Finding, Place, Problem};
use airflow_pod_identity::json::Reader;
use airflow_pod_identity::plan::{Demands, Plan, Repair};
use airflow_pod_identity::pod::{Outline, Pod};
use airflow_pod_identity::requirement::{ProjectedSource, Requirement, VolumeSource};
use airflow_pod_identity::rules::Rule;

const POD: &str = r#"{"metadata": {"labels": {"tier": "airflow"}, "annotations": {"a": "1"}}, "spec": {
    "containers": [
        {"name": "one", "volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]},
        {"name": "two", "env": [{"name": "SET", "value": "x"}, {"name": "OTHER", "value": "y"}]}],
    "volumes": [
        {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "a", "expirationSeconds": 9000}},
                                                {"serviceAccountToken": {"path": "b"}}]}},
        {"name": "w", "projected": {"sources": [{"serviceAccountToken": {"path": "a"}}]}}]}}"#;

/// The rule whose repairs are made; those of the other are only told.
const MENDS: Rule = Rule::Credentials;
const REPORTS: Rule = Rule::TokenMounts;

/// A demand: the rule, what asks, what for.
type Asked<'r> = (Rule, &'static str, &'r [Requirement]);

/// A demand for nothing else.
fn only(requirement: &Requirement) -> &[Requirement] {
    std::slice::from_ref(requirement)
}

/// The pod after the plan, and who was refused.
fn planned(asked: &[Asked<'_>]) -> (String, Vec<String>) {
    planned_in(POD, asked)
}

fn planned_in(text: &str, asked: &[Asked<'_>]) -> (String, Vec<String>) {
    let pod = Pod::read(Outline::read(&mut Reader::new(text)).unwrap()).unwrap();
    let repair = |(rule, origin, needs): &Asked<'_>| Repair {
        finding: Finding { rule: *rule, place: Place::Labels, problem: Problem::NoContainer },
        origin: (*origin).to_owned(),
        requirements: needs.to_vec(),
    };
    let demands = Demands { repairs: asked.iter().map(repair).collect(), findings: Vec::new() };
    let plan = Plan::new(&pod, demands, |rule| rule == MENDS);
    assert_eq!(plan.changes.is_empty(), plan.changes.apply(&pod) == text, "{asked:?}");
    (plan.changes.apply(&pod), plan.refused)
}

/// Every kind of requirement that something is added or taken away for, each with what differs from it in one respect.
fn requirements() -> Vec<Requirement> {
    let volume = |name: &str, audience: &str| {
        Requirement::volume(name, VolumeSource::Projected(vec![ProjectedSource::token(audience, 3600, "token")]))
    };
    let default = |container, names| Requirement::EnvDefault { container, names, value: "d".to_owned() };
    let annotation = |key: &str| Requirement::Annotation { key: key.to_owned(), value: "2".to_owned() };
    let label = |key: &str| Requirement::Label { key: key.to_owned(), value: "2".to_owned() };
    let expiration = |volume, source| Requirement::Expiration { volume, source, seconds: 600 };
    vec![
        volume("x", "a"),
        volume("y", "a"),
        Requirement::mount(0, "x", "/x"),
        Requirement::mount(0, "x", "/y"),
        Requirement::mount(0, "y", "/z"),
        Requirement::mount(1, "x", "/x"),
        Requirement::env(0, "NEW", "n"),
        Requirement::env(0, "NEWER", "n"),
        Requirement::env(1, "NEW", "n"),
        default(0, &["DEFAULT", "FALLBACK"]),
        default(1, &["DEFAULT", "FALLBACK"]),
        default(0, &["ELSE"]),
        annotation("a"),
        annotation("b"),
        label("tier"),
        label("component"),
        Requirement::NoMount { container: 0, mount: 0 },
        Requirement::NoMount { container: 0, mount: 1 },
        Requirement::NoVolume { volume: 0 },
        Requirement::NoVolume { volume: 1 },
        Requirement::Automount(false),
        expiration(0, 0),
        expiration(0, 1),
        expiration(1, 0),
    ]
}

#[test]
fn what_is_only_told_leaves_nothing_in_the_plan() {
    let mut differ = 0;
    for one in requirements() {
        let (alone, _) = planned(&[(MENDS, "one", only(&one))]);
        assert_ne!(alone, POD, "{one:?}");
        assert_eq!(planned(&[(REPORTS, "one", only(&one))]).0, POD, "{one:?}");
        assert_eq!(planned(&[(REPORTS, "one", only(&one)), (MENDS, "two", only(&one))]).0, alone, "{one:?}");
        for other in requirements().into_iter().filter(|other| *other != one) {
            let (made, _) = planned(&[(MENDS, "other", only(&other))]);
            let (found, refused) = planned(&[(MENDS, "other", only(&other)), (REPORTS, "one", only(&one))]);
            assert_eq!((found, refused), (made, vec![]), "{other:?}, then {one:?}");
            differ += 1;
        }
    }
    assert!(differ > 500, "{differ}");
}

#[test]
fn what_is_refused_leaves_nothing_in_the_plan() {
    let impossible = Requirement::env(1, "SET", "z");
    for one in requirements() {
        let (alone, _) = planned(&[(MENDS, "one", only(&one))]);
        let (found, refused) =
            planned(&[(MENDS, "two", &[one.clone(), impossible.clone()]), (MENDS, "one", only(&one))]);
        assert_eq!((found, refused), (alone, vec!["two".to_owned()]), "{one:?}");
    }
}

/// What is asked for in turn, and who is refused in the end.
#[test]
fn who_needs_a_variable_for_himself_is_in_the_way_of_others_alone() {
    let set = Requirement::env(1, "SET", "x");
    let new = Requirement::env(0, "NEW", "n");
    let clear = |container, names| Requirement::Unshadowed { container, names };
    let default = |container, names| Requirement::EnvDefault { container, names, value: "x".to_owned() };
    let refused = |asked: &[Asked<'_>]| planned(asked).1;
    let none: [&str; 0] = [];

    // A variable that stands there as it is needed is claimed: by a default too, but not against its own.
    assert_eq!(refused(&[(MENDS, "one", only(&set)), (MENDS, "two", only(&set))]), ["two"]);
    assert_eq!(refused(&[(MENDS, "one", &[set.clone(), set.clone()])]), none);
    assert_eq!(refused(&[(MENDS, "one", only(&set)), (MENDS, "two", &[default(1, &["SET"])])]), ["two"]);
    assert_eq!(refused(&[(MENDS, "one", &[set.clone(), default(1, &["SET"])])]), none);
    assert_eq!(refused(&[(MENDS, "one", only(&set)), (MENDS, "two", &[default(1, &["OTHER"])])]), none);
    // One that is planned likewise.
    assert_eq!(refused(&[(MENDS, "one", only(&new)), (MENDS, "two", &[default(0, &["NEW"])])]), ["two"]);
    assert_eq!(refused(&[(MENDS, "one", &[new.clone(), default(0, &["NEW"])])]), none);
    assert_eq!(refused(&[(MENDS, "one", &[default(0, &["NEW"])]), (MENDS, "two", only(&new))]), ["two"]);
    assert_eq!(refused(&[(MENDS, "one", &[default(0, &["NEW"]), new.clone()])]), none);
    // One that must not be there is kept clear, before and after.
    assert_eq!(refused(&[(MENDS, "one", &[clear(0, &["NEW"])]), (MENDS, "two", only(&new))]), ["two"]);
    assert_eq!(refused(&[(MENDS, "one", only(&new)), (MENDS, "two", &[clear(0, &["NEW"])])]), ["two"]);
    assert_eq!(refused(&[(MENDS, "one", &[new.clone(), clear(0, &["NEW"])])]), none);
    assert_eq!(refused(&[(MENDS, "one", &[clear(1, &["NEW"])]), (MENDS, "two", only(&new))]), none);
    assert_eq!(refused(&[(MENDS, "one", &[clear(1, &["SET"])])]), ["one"]);
}

#[test]
fn who_is_only_told_claims_nothing() {
    let set = Requirement::env(1, "SET", "x");
    let new = Requirement::env(0, "NEW", "n");
    let clear = Requirement::Unshadowed { container: 0, names: &["NEW"] };
    let missing = Requirement::Automount(false);
    let refused = |first: &Requirement, second: &Requirement| {
        let told: &[Requirement] = &[first.clone(), missing.clone()];
        planned(&[(REPORTS, "one", told), (MENDS, "two", only(second))]).1
    };
    assert!(refused(&set, &set).is_empty());
    assert!(refused(&clear, &new).is_empty());
    // What another holds stays held.
    let held = |first: &Requirement, second: &Requirement| {
        let told: &[Requirement] = only(&missing);
        let asked: [Asked<'_>; 3] =
            [(MENDS, "one", only(first)), (REPORTS, "told", told), (MENDS, "two", only(second))];
        planned(&asked).1
    };
    assert_eq!(held(&set, &set), ["two"]);
    assert_eq!(held(&clear, &new), ["two"]);
}

/// The place of a volume that goes is free for another of its name.
#[test]
fn a_volume_that_goes_makes_room() {
    let wanted = Requirement::volume("w", VolumeSource::ApiAccess { audience: None, expiration: 600 });
    let gone = Requirement::NoVolume { volume: 1 };
    let (pod, refused) = planned(&[(MENDS, "one", &[gone.clone(), wanted.clone()])]);
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(pod.matches(r#""name":"w""#).count() + pod.matches(r#""name": "w""#).count(), 1, "{pod}");
    assert_eq!(planned(&[(MENDS, "one", &[wanted])]).1, ["one"]);
    // Nor is the validity of its tokens changed.
    let limit = Requirement::Expiration { volume: 1, source: 0, seconds: 600 };
    assert_eq!(planned(&[(MENDS, "one", &[gone.clone(), limit])]), planned(&[(MENDS, "one", &[gone])]));
}

#[test]
fn what_two_ask_for_is_written_once() {
    let annotation = Requirement::Annotation { key: "b".to_owned(), value: "2".to_owned() };
    let first = planned(&[(MENDS, "first", only(&annotation))]);
    let twice = [(MENDS, "first", only(&annotation)), (MENDS, "second", only(&annotation))];
    assert!(first.0.contains(r#""annotations": {"a": "1","b":"2"}"#), "{}", first.0);
    assert_eq!(planned(&twice), first);
}

#[test]
fn what_is_null_becomes_a_map() {
    let pod = r#"{"metadata":{"labels":null,"annotations":null},"spec":{"containers":[]}}"#;
    let needs = [
        Requirement::Annotation { key: "b".to_owned(), value: "2".to_owned() },
        Requirement::Label { key: "component".to_owned(), value: "3".to_owned() },
    ];
    let (mended, refused) = planned_in(pod, &[(MENDS, "it", &needs)]);
    assert_eq!(mended, r#"{"metadata":{"labels":{"component":"3"},"annotations":{"b":"2"}},"spec":{"containers":[]}}"#);
    assert!(refused.is_empty());
}
