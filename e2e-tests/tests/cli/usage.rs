//! What `review` says when it can't be used as asked, and how it is used.

use e2e_tests::testing::{MODULE_VARIABLE, module};

use crate::setup::{Files, OTHER_POD, bare_command, error, stdout};

#[test]
fn settings_that_the_policy_refuses_are_reported() {
    let files = Files::new(&[("settings.yaml", "bogus: 1\n"), ("pod.yaml", OTHER_POD)]);
    let error = error(&files.review(&["--settings", "settings.yaml", "pod.yaml"]));
    assert!(error.starts_with("error: the settings are not valid:\n") && error.contains("bogus"), "{error}");
}

#[test]
fn unusable_input_prints_an_error_and_nothing_else() {
    let broken = format!("{OTHER_POD}\n---\nkind: [\n");
    let files = Files::new(&[("pod.yaml", OTHER_POD), ("broken.yaml", &broken), ("typo.yaml", "secret: []")]);
    let says = |arguments: &[&str], expected: &str| {
        let error = error(&files.review(arguments));
        assert!(error.starts_with("error: ") && error.contains(expected), "{error:?} lacks {expected:?}");
    };
    says(&["pod.yaml", "broken.yaml"], "broken.yaml:");
    says(&["pod.yaml", "broken.yaml"], "document 2");
    says(&["absent.yaml"], "absent.yaml: ");
    says(&["--cluster", "typo.yaml", "pod.yaml"], "typo.yaml:1:");
    says(&["--settings", "absent.yaml", "pod.yaml"], "absent.yaml: ");
    says(&["--module", "pod.yaml", "pod.yaml"], "pod.yaml: not a policy module");
    says(&["--operation", "UPDATE", "pod.yaml"], "--old");
    says(&["-", "-"], "only once");
    says(&["--operation", "PATCH", "pod.yaml"], "CREATE, UPDATE, DELETE, CONNECT");
    says(&["--groups", "a", "pod.yaml"], "--user");
    says(&[], "<FILE>");
}

#[test]
fn without_a_module_the_way_to_one_is_told() {
    let files = Files::new(&[("pod.yaml", OTHER_POD)]);
    let output = bare_command(files.0.path()).arg("pod.yaml").output().expect("it runs");
    let error = error(&output);
    assert!(error.contains("make policy.wasm") && error.contains(MODULE_VARIABLE), "{error}");
}

#[test]
fn the_module_of_the_current_directory_is_taken() {
    let files = Files::new(&[("pod.yaml", OTHER_POD)]);
    std::fs::copy(module(), files.0.path().join("policy.wasm")).expect("the module is copied");
    let output = bare_command(files.0.path()).arg("pod.yaml").output().expect("it runs");
    assert!(stdout(&output, 0).contains("allowed"));
}

#[test]
fn the_help_explains_itself() {
    let files = Files::new(&[]);
    let help = stdout(&files.review(&["--help"]), 0);
    for part in ["kubectl get pods -A -o json | review -", "--old", "Exit status", MODULE_VARIABLE, "serviceAccounts:"]
    {
        assert!(help.contains(part), "the help lacks {part:?}");
    }
}

#[test]
fn the_cluster_of_the_help_can_be_used() {
    let files = Files::new(&[("pod.yaml", OTHER_POD)]);
    let help = stdout(&files.review(&["--help"]), 0);
    let lines = help.lines().skip_while(|line| line.trim() != "serviceAccounts:");
    let cluster: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    std::fs::write(files.0.path().join("cluster.yaml"), cluster.join("\n")).expect("it is written");
    stdout(&files.review(&["--cluster", "cluster.yaml", "pod.yaml"]), 0);
}
