#!/bin/sh
# Prints a Secret for each key of Airflow 1.10's setting [kubernetes] gcp_service_account_keys.
#
#   from-old-setting.sh NAMESPACE NAME:PATH,NAME:PATH… | kubectl apply --server-side -f -
#
# Airflow documented `name:path` and read `name=path`; both are understood. The paths are files on this machine. Nothing
# is sent to the cluster: kubectl only writes the YAML.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 NAMESPACE NAME:PATH,NAME:PATH…" >&2; exit 2; }

printf '%s\n' "$2" | tr ',' '\n' | while IFS=' :=' read -r name path; do
  [ -n "$name" ] || continue
  [ -r "$path" ] || { echo "$0: $name: can't read \`$path\`" >&2; exit 1; }
  echo "---"
  kubectl create secret generic "$name" --namespace "$1" --from-file=key.json="$path" --dry-run=client -o yaml
done
