#!/usr/bin/env bats
load helper

@test "token-mounts: a scheduler pod with nothing but the scheduler passes unchanged" {
  accepts token-mounts-scheduler-alone mutate
  accepts token-mounts-scheduler-alone validate
}

@test "token-mounts: the scheduler keeps its token, and the containers beside it lose theirs" {
  mutates token-mounts-scheduler-sidecars
  patches 'any(.path == "/spec/automountServiceAccountToken" and .value == false)'
  is_true '.auditAnnotations != null'
  denies token-mounts-scheduler-sidecars validate "token-mounts/injected-token"
}

@test "token-mounts: a token that somebody declared is denied, never taken away" {
  for mode in mutate validate; do
    denies token-mounts-declared-at-the-default-path "$mode" \
      "token-mounts/declared-token: spec.containers[1].volumeMounts[0] (container \`helper\`)"
  done
}

@test "token-mounts: a debugger with the token is denied" {
  denies token-mounts-ephemeral-mounts-the-token validate "(ephemeral container \`debug\`)"
}

@test "token-mounts: a task pod's token is reported by default" {
  warns token-mounts-task-pod-audit mutate "not enforced: token-mounts/injected-token"
  is_true '.auditAnnotations.findings == "token-mounts/injected-token spec.containers[0].volumeMounts[0]"'
}

@test "token-mounts: all problems of its settings are told at once" {
  refuses token-mounts
  [[ "$output" == *tokenMounts.airflowPods* && "$output" == *tokenMounts.maxExpirationSeconds* ]]
}
