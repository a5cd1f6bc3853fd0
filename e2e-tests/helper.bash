# Runs kwctl over the folders of kwctl/. `cargo test` holds these to the cases, so what kwctl answers here and what the
# embedded host answers there are the same.

CASES="$BATS_TEST_DIRNAME/kwctl"
MODULE="$BATS_TEST_DIRNAME/../annotated-policy.wasm"
# With it kwctl would add a stack to the text of a failed lookup.
unset RUST_BACKTRACE

# judge CASE MODE [MODULE]
# $response is what kwctl printed, $patch its patch (none: null), $message the denial's message.
judge() {
  local folder="$CASES/$1" arguments=()
  if [ -e "$folder/host-$2.yml" ]; then
    arguments=(--allow-context-aware --replay-host-capabilities-interactions "$folder/host-$2.yml")
  fi
  response=$(kwctl run "${arguments[@]}" --request-path "$folder/request.json" \
    --settings-path "$folder/settings-$2.json" "$MODULE" 2>"$BATS_TEST_TMPDIR/kwctl.log") ||
    { cat "$BATS_TEST_TMPDIR/kwctl.log"; return 1; }
  if grep "have not been replayed" "$BATS_TEST_TMPDIR/kwctl.log"; then return 1; fi
  read_response
}

read_response() {
  patch=$(jq -c 'if .patch then .patch | @base64d | fromjson else null end' <<<"$response")
  message=$(jq -r '.status.message // ""' <<<"$response")
}

# as_expected CASE MODE: everything in the response is as the embedded host has it.
as_expected() {
  local folder="$CASES/$1"
  diff <(jq -S ".$2" "$folder/answers.json") \
    <(jq -S --slurpfile request "$folder/request.json" -f "$BATS_TEST_DIRNAME/answer.jq" <<<"$response")
}

accepts() {
  judge "$1" "$2"
  is_true .allowed
  [ "$patch" = null ] || { echo "it changes something: $patch"; return 1; }
  as_expected "$1" "$2"
}

warns() {
  accepts "$1" "$2"
  is_true ".warnings | any(contains(\"$3\"))"
}

mutates() {
  judge "$1" mutate
  is_true '.allowed and .patchType == "JSONPatch"'
  as_expected "$1" mutate
}

denies() {
  judge "$1" "$2"
  is_true '.allowed == false and .status.code == 403 and .patch == null'
  [[ "$message" == *"$3"* ]] || { echo "the message is: $message"; return 1; }
  as_expected "$1" "$2"
}

# is_true FILTER: holds of the response.
is_true() {
  jq -e "$1" <<<"$response" >/dev/null || { echo "not so: $1"; echo "$response"; return 1; }
}

# patches FILTER: holds of the patch.
patches() {
  jq -e "$1" <<<"$patch" >/dev/null || { echo "not so: $1"; echo "$patch"; return 1; }
}

# refuses RULE: kwctl fails on settings that the rule can't read, with the policy's own words.
refuses() {
  local folder="$CASES/$1-settings-refused"
  run kwctl run --request-path "$CASES/token-mounts-scheduler-alone/request.json" \
    --settings-path "$folder/settings.json" "$MODULE"
  [ "$status" -ne 0 ]
  [[ "$output" == *"Provided settings are not valid: $(cat "$folder/message.txt")"* ]] || { echo "$output"; return 1; }
}
