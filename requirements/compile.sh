#!/usr/bin/env bash
# Writes every hashed requirements file of the project from pyproject.toml. Needs uv; give it `--upgrade` to move versions.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # output, then what to resolve
  local output=$1
  shift
  uv pip compile pyproject.toml "$@" --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-header --quiet -o "$output"
  echo "wrote $output"
}

compile requirements/local.txt --extra local --group build "${@}"
compile requirements/calibration.txt --extra local --extra calibration --group build "${@}"
compile requirements/dev.txt --extra local --extra calibration --group build --group dev "${@}"
compile requirements/bench.txt --extra local --extra calibration --group build --group dev --group bench "${@}"
for function in dispatcher api; do
  compile "functions/$function/requirements.txt" --extra candles --extra cloud "${@}"
done
compile functions/worker/requirements.txt --extra candles --extra cloud --extra gemini "${@}"
compile functions/sentiment/requirements.txt --extra candles --extra cloud --extra sentiment "${@}"
for function in executor reconciler; do
  compile "functions/$function/requirements.txt" --extra binance --extra candles --extra cloud "${@}"
done
