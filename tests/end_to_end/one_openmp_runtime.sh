#!/bin/sh
# Two OpenMP runtimes in one process fight over the cores and may deadlock.
# Usage: one_openmp_runtime.sh PROGRAM MODULE
set -eu

libraries=$(ldd "$1" "$2")
runtimes=$(echo "$libraries" | sed -n 's/^[[:space:]]*\(lib\(gomp\|iomp5\|omp5\{0,1\}\)\.so[^ ]*\).*/\1/p' |
  sort -u)
if [ "$(echo "$runtimes" | grep -c .)" -ne 1 ]; then
  printf 'expected one OpenMP runtime, found:\n%s\n' "$runtimes"
  exit 1
fi
echo "$runtimes"
