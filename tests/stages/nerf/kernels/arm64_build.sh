#!/bin/sh
# The kernels compile for arm64 without a warning. Where there is no compiler
# for it the test is skipped (exit code 77).
# Usage: arm64_build.sh SOURCES HIGHWAY_HEADERS [COMPILER OPTIONS]
set -eu

sources=$1
headers=$2
shift 2

compiler=aarch64-linux-gnu-g++
command -v "$compiler" >/dev/null || {
  echo "skipped: there is no $compiler (Debian: g++-aarch64-linux-gnu)"
  exit 77
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Highway alone: beside it lie the headers of this machine's own libraries.
ln -s "$headers/hwy" "$scratch/hwy"

for source in "$sources"/stages/nerf/kernels/*.cc \
  "$sources"/stages/nerf/splat/kernels/*.cc; do
  "$compiler" -std=c++20 -O0 -fopenmp -Wall -Wextra -Werror "$@" \
    -I "$sources" -isystem "$scratch" -c "$source" -o "$scratch/kernel.o"
done
