#!/usr/bin/env bats
load helper

@test "secret-access: who may use a credential may reference its Secret" {
  accepts secret-access-admitted mutate
  accepts secret-access-admitted validate
}

@test "secret-access: a reference that goes round the rule credentials is denied" {
  for mode in mutate validate; do
    denies secret-access-volume "$mode" "secret-access/protected-secret: spec.volumes[0]"
  done
}

@test "secret-access: a pod template is judged like its pods" {
  denies secret-access-deployment validate "spec.template.spec.containers[0].env[0] (container \`web\`)"
}

@test "secret-access: under Audit it is reported" {
  warns secret-access-audit validate "not enforced: secret-access/protected-secret"
}

@test "secret-access: a request without a requester is an audit scan" {
  accepts secret-access-audit-scan validate
}

@test "secret-access: an action that does not exist is refused" {
  refuses secret-access
}
