#!/usr/bin/env bats
# The module as it is published, and the policies of examples/kubernetes.
load helper

ROOT="$BATS_TEST_DIRNAME/.."

@test "module: kwctl annotate takes metadata.yml" {
  run kwctl annotate -m "$ROOT/metadata.yml" -u "$ROOT/README.md" -o "$BATS_TEST_TMPDIR/annotated.wasm" "$ROOT/policy.wasm"
  [ "$status" -eq 0 ]
  cmp "$BATS_TEST_TMPDIR/annotated.wasm" "$MODULE"
}

@test "module: kwctl inspect shows its metadata" {
  response=$(kwctl inspect --output yaml "$MODULE" 2>/dev/null)
  grep -q "io.kubewarden.policy.title: airflow-pod-identity" <<<"$response"
  grep -q "mutating: true" <<<"$response"
  grep -q "pods/ephemeralcontainers" <<<"$response"
  grep -A4 "contextAwareResources:" <<<"$response" | grep -q "kind: Secret"
  version=$(awk '/io\.kubewarden\.policy\.version:/ { print $2 }' "$ROOT/metadata.yml")
  grep -q "io.kubewarden.policy.version: $version" <<<"$response"
}

# policy NAME CASE: runs the policy of examples/kubernetes/NAME.yaml. The registry in it is a placeholder, which kwctl
# would pull from: in a copy the module's address is the built file's. A policy that may look things up makes kwctl ask
# for a cluster before it runs, unless there are answers to replay; these ask nothing. The scheduler's ServiceAccount is
# the one that the policies name.
policy() {
  echo "[]" >"$BATS_TEST_TMPDIR/session.yml"
  jq '.object.spec.serviceAccountName = "airflow-scheduler"' "$CASES/$2/request.json" >"$BATS_TEST_TMPDIR/request.json"
  sed "s|module: registry://.*|module: file://$(realpath "$MODULE")|" "$ROOT/examples/kubernetes/$1.yaml" >"$BATS_TEST_TMPDIR/$1.yaml"
  response=$(kwctl run --replay-host-capabilities-interactions "$BATS_TEST_TMPDIR/session.yml" \
    --request-path "$BATS_TEST_TMPDIR/request.json" "$BATS_TEST_TMPDIR/$1.yaml" 2>"$BATS_TEST_TMPDIR/kwctl.log") ||
    { cat "$BATS_TEST_TMPDIR/kwctl.log"; return 1; }
  read_response
}

@test "module: examples/kubernetes/mutating.yaml mends a scheduler pod" {
  policy mutating token-mounts-scheduler-sidecars
  is_true '.allowed and .patchType == "JSONPatch"'
  patches 'any(.path == "/spec/automountServiceAccountToken" and .value == false)'
}

@test "module: examples/kubernetes/validating.yaml denies what was not mended" {
  policy validating token-mounts-scheduler-sidecars
  is_true '.allowed == false and .status.code == 403 and .patch == null'
  [[ "$message" == *"token-mounts/injected-token"* ]]
}

@test "module: both let a pod pass in which there is nothing to find" {
  for name in mutating validating; do
    policy "$name" token-mounts-scheduler-alone
    is_true '.allowed and .patch == null'
  done
}

@test "module: a registry takes it, and gives it back by its digest" {
  command -v docker-registry >/dev/null || skip "docker-registry is not on the PATH"
  start_registry
  local flags=(--sources-path "$BATS_TEST_TMPDIR/sources.yml")
  run make --no-print-directory -C "$ROOT" push "REGISTRY=$REGISTRY/policies" "PUSH_FLAGS=${flags[*]}"
  echo "$output"
  [ "$status" -eq 0 ]
  pinned=$(grep -o "$REGISTRY/policies/airflow-pod-identity@sha256:[0-9a-f]\{64\}" <<<"$output")
  kwctl pull "${flags[@]}" --output-path "$BATS_TEST_TMPDIR/pulled.wasm" "registry://$pinned"
  cmp "$BATS_TEST_TMPDIR/pulled.wasm" "$MODULE"
  # What e2e-tests/tests/registry.rs pushes is of the same form.
  response=$(curl -sf "http://$REGISTRY/v2/policies/airflow-pod-identity/manifests/${pinned#*@}" \
    -H "Accept: application/vnd.oci.image.manifest.v1+json")
  is_true '.config.mediaType == "application/vnd.wasm.config.v1+json"'
  is_true '[.layers[].mediaType] == ["application/vnd.wasm.content.layer.v1+wasm"]'
  is_true '.annotations["io.kubewarden.policy.title"] == "airflow-pod-identity"'
}

start_registry() {
  local port
  for port in $(shuf -i 20000-29999 -n 20); do
    cat >"$BATS_TEST_TMPDIR/registry.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $BATS_TEST_TMPDIR/registry}}
http: {addr: "127.0.0.1:$port"}
END
    docker-registry serve "$BATS_TEST_TMPDIR/registry.yml" >"$BATS_TEST_TMPDIR/registry.log" 2>&1 3>&- &
    REGISTRY_PID=$!
    for _ in $(seq 50); do
      kill -0 "$REGISTRY_PID" 2>/dev/null || break
      if curl -sf "http://127.0.0.1:$port/v2/" >/dev/null; then
        REGISTRY="127.0.0.1:$port"
        echo "insecure_sources: [\"$REGISTRY\"]" >"$BATS_TEST_TMPDIR/sources.yml"
        return
      fi
      sleep 0.1
    done
  done
  cat "$BATS_TEST_TMPDIR/registry.log"
  return 1
}

teardown() {
  if [ -n "${REGISTRY_PID:-}" ]; then kill "$REGISTRY_PID"; fi
}
