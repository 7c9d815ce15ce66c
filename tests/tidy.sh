#!/bin/sh
# Runs clang-tidy with the checks of .clang-tidy, and fails when it finds
# something. Usage: tests/tidy.sh [FILE.cc...]
#
# Without files: all of pipeline/ and stages/, which takes half a minute of a
# core for each that sees LibTorch, COLMAP or OpenCV; hence by hand. It compiles
# nothing, but needs what the build needs, and a build folder of its own: clang
# does not read the headers that GCC has precompiled.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$root/build/tidy
# Other versions find other things.
tidy=clang-tidy-14
command -v "$tidy" >/dev/null || {
  echo "$tidy is missing; the Debian package has the same name"
  exit 1
}

cd "$root"
if [ ! -f "$build/compile_commands.json" ]; then
  cmake --preset ci -B "$build" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
fi
if [ $# -eq 0 ]; then
  # shellcheck disable=SC2046 # our names have no spaces
  set -- $(git ls-files 'pipeline/*.cc' 'stages/*.cc')
fi
# Warnings are GCC's, some of which clang does not know.
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" "$tidy" -p "$build" --quiet \
  --extra-arg=-Wno-everything
