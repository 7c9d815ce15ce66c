#!/bin/sh
# An installed program knows its presets, and finds its trainer with LibTorch.
# Usage: installed_program.sh PROGRAM, in its build folder
set -eu

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cmake --install "${1%/pipeline/cli/*}" --prefix "$place" >/dev/null
program=$place/bin/nerfpipe
"$program" --version
"$program" config --config fern | grep 'train.method .*fern' || {
  echo "the presets are not known"
  exit 1
}
said=$("$program" eval -w "$place" 2>&1) && exit 1
echo "$said"
echo "$said" | grep -q "^nerfpipe: nothing is trained in "
