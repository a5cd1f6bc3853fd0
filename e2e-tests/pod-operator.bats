#!/usr/bin/env bats
load helper

@test "pod-operator: an operator's pod with an account of its own passes" {
  accepts pod-operator-named-account mutate
  accepts pod-operator-named-account validate
}

@test "pod-operator: an operator's pod that runs as default is denied" {
  for mode in mutate validate; do
    denies pod-operator-default-account "$mode" "pod-operator/default-account: spec.serviceAccountName"
  done
}

@test "pod-operator: under Audit it is reported" {
  warns pod-operator-audit validate "not enforced: pod-operator/default-account"
}

@test "pod-operator: a misspelt key is refused" {
  refuses pod-operator
}
