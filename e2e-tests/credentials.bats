#!/usr/bin/env bats
load helper

@test "credentials: a pod that has its credential passes unchanged" {
  accepts credentials-already-injected mutate
  accepts credentials-already-injected validate
}

@test "credentials: a credential that the pod may have is injected" {
  mutates credentials-list-annotation
  patches 'all(.op == "add")'
  patches '[.[].path] | sort == ["/spec/containers/0/env", "/spec/containers/0/volumeMounts", "/spec/volumes"]'
  patches 'any(.path == "/spec/volumes" and .value[0].secret.items == [{"key": "key.json", "path": "key.json"}])'
}

@test "credentials: a pod that was not mended is denied by the validating policy" {
  denies credentials-list-annotation validate "credentials/not-injected: metadata.annotations[airflow-pod-identity/credentials]"
}

@test "credentials: a credential that the pod may not have is denied" {
  denies credentials-not-allowed-namespace mutate "credentials/not-allowed: metadata.annotations[airflow-pod-identity/credentials]: names \`team-a\`"
  denies credentials-not-allowed-namespace validate "it may use: none"
}

@test "credentials: a misspelt annotation gets a warning" {
  warns credentials-misspelt-annotation mutate "did you mean \`airflow-pod-identity/credentials\`?"
}

@test "credentials: under Audit what is allowed is injected, and what is missing only reported" {
  mutates credentials-audit-still-injects
  warns credentials-audit-still-injects validate "not enforced: credentials/not-injected"
}

@test "credentials: a credential of an unknown type is refused" {
  refuses credentials
}
