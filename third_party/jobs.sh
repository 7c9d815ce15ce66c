#!/bin/sh
# Prints how many compilers may run at once: one per core, as long as each
# gets 1.5 GB of the memory that is free now.
set -eu

cores=$(nproc)
jobs=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
if [ -z "$jobs" ] || [ "$jobs" -gt "$cores" ]; then
  jobs=$cores
fi
if [ "$jobs" -lt 1 ]; then
  jobs=1
fi
echo "$jobs"
