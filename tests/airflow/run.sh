#!/usr/bin/env bash
# Runs the example DAGs in a real Airflow, which is installed into the cache at first. Arguments are pytest's; `--write`
# writes the pods that Airflow made to tests/airflow/pods.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed: set PYTHON" >&2
  exit 2
}

version=$(sed -n 's/^apache-airflow==//p' "$here/requirements.txt")
venv=${TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/airflow-pod-identity}/airflow-venv-$version

# Installed once for each state of the list. A run that was cut off leaves no list behind, and is done again.
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  echo "Installing Airflow $version to $venv (some minutes, 2.5 GB)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  # The list is complete, so pip has nothing to resolve; Airflow's constraints are not needed.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
  "$venv/bin/pip" check
  cp "$here/requirements.txt" "$venv/installed.txt"
fi

cd "$here"
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" -m pytest -p no:cacheprovider -q "$@" .
