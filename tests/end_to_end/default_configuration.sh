#!/bin/sh
# configs/default.yaml is, below its heading, what the program prints, and every
# file there is read without complaint.
# Usage: default_configuration.sh PROGRAM CONFIGS
set -eu

program=$1
configs=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$program" config --yaml >default.yaml
tail -n +2 "$configs/default.yaml" | diff default.yaml - || {
  echo "configs/default.yaml is not what 'nerfpipe config --yaml' prints"
  exit 1
}
for file in "$configs"/*.yaml; do
  "$program" config --config "$file" >/dev/null
done
