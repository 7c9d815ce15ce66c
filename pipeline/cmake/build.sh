#!/bin/sh
# Configures a build folder if that was not done yet, and builds in it.
# Usage: pipeline/cmake/build.sh FOLDER PRESET TARGETS [-DNAME=VALUE...]
#
# TARGETS is one word, separated by spaces inside. The account goes to
# FOLDER/build.log; on the screen stand one line per step and any errors.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$1
preset=$2
targets=$3
shift 3

say() { echo "nerfpipe: $*" >&2; }
fail() {
  say "building failed while $1; the log is $build/build.log"
  exit 1
}

mkdir -p "$build"
build=$(CDPATH='' cd -- "$build" && pwd)
log=$build/build.log

# One build at a time in a folder.
exec 9>"$build/.lock"
flock --nonblock 9 || {
  say "waiting for another build in $build"
  flock 9
}

: >"$log"
touch "$build/.started"
start=$(date +%s)

configure() {
  (cd "$root" && cmake --preset "$preset" -B "$build" "$@") >>"$log" 2>&1 || {
    sed -n '/CMake Error/,/^$/p' "$log" | head -n 12 >&2
    fail "configuring"
  }
}
# A clone that was moved has a build folder that still points to its old place.
if [ -f "$build/CMakeCache.txt" ] &&
  ! grep -Fqx "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"
then
  say "the source has moved; starting a new build in $build"
  rm -rf "$build/CMakeCache.txt" "$build/CMakeFiles" "$build/build.ninja"
fi
if [ ! -f "$build/build.ninja" ]; then
  say "configuring (preset $preset)"
  configure "$@"
elif [ $# -gt 0 ]; then
  configure "$@"
fi

# shellcheck disable=SC2086 # one target per word
"$root/third_party/progress.sh" "compiling" "$log" cmake --build "$build" \
  -j "$("$root/third_party/jobs.sh")" --target $targets || {
  grep -E -m 5 'error:|undefined reference|ninja: error' "$log" >&2 || :
  fail "compiling"
}
mv "$build/.started" "$build/.built"

seconds=$(($(date +%s) - start))
if [ "$seconds" -ge 5 ]; then
  say "built in $seconds s"
fi
