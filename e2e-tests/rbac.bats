#!/usr/bin/env bats
# The API server's answers are replayed.
load helper

@test "rbac: a launcher with all its rights passes" {
  accepts rbac-launcher-has-all mutate
  accepts rbac-launcher-has-all validate
}

@test "rbac: a launcher that may not follow its pod is told which right is missing" {
  for mode in mutate validate; do
    denies rbac-launcher-lacks-exec "$mode" 'add to a Role of `airflow` that is bound to it: {apiGroups: [""], resources: [pods/exec], verbs: [get]}'
  done
}

@test "rbac: by default it is reported" {
  warns rbac-launcher-audit validate "not enforced: rbac/lacks-access"
}

@test "rbac: an API server that does not answer is neither a yes nor a no" {
  warns rbac-unknown validate "not checked: whether ServiceAccount "
}

@test "rbac: a component without rights to look for is refused" {
  refuses rbac
}
