#!/usr/bin/env bats
# What the policy asks its host, with the answers replayed: every case that asks anything.
load helper

@test "host: every question of every case is asked in these words, and answered as in the embedded host" {
  local count=0 wrong=0 session case mode
  for session in "$CASES"/*/host-*.yml; do
    case=$(basename "$(dirname "$session")")
    mode=$(basename "$session" .yml)
    mode=${mode#host-}
    count=$((count + 1))
    { judge "$case" "$mode" && as_expected "$case" "$mode"; } || { echo "wrong: $case, $mode"; wrong=$((wrong + 1)); }
  done
  echo "# $count sessions replayed" >&3
  [ "$count" -gt 100 ]
  [ "$wrong" -eq 0 ]
}

@test "host: a Secret that is there lets the credential in" {
  mutates lookups-there
  patches 'any(.path == "/spec/volumes" and .value[0].secret.secretName == "team-a-gcp")'
}

@test "host: a Secret that is missing is denied with the command that makes it" {
  denies lookups-missing mutate "kubectl create secret generic"
}

@test "host: a lookup that fails is denied with code 500 where the settings say so" {
  judge lookups-fails-under-deny mutate
  is_true '.allowed == false and .status.code == 500'
  [[ "$message" == "a lookup failed, and \`onLookupError: Deny\` lets nothing pass unchecked: "* ]]
}

@test "host: without --allow-context-aware the policy says that it could not look" {
  local folder="$CASES/lookups-there"
  response=$(kwctl run --request-path "$folder/request.json" --settings-path "$folder/settings-mutate.json" "$MODULE")
  read_response
  is_true '.allowed and (.warnings | any(contains("has not been granted access to Kubernetes v1/Secret")))'
}
