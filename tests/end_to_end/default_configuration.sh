#!/bin/sh
# configs/default.yaml is what the program prints, and every file there is
# read without complaint. Usage: default_configuration.sh PROGRAM CONFIGS
set -eu

program=$1
configs=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$program" config --yaml >default.yaml
diff default.yaml "$configs/default.yaml" || {
  echo "make it again: nerfpipe config --yaml >configs/default.yaml"
  exit 1
}
for file in "$configs"/*.yaml; do
  "$program" config --config "$file" >/dev/null
done
