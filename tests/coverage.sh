#!/bin/sh
# Which lines do the tests run? By folder, from a build of its own in
# build/coverage. Usage: tests/coverage.sh [CTEST ARGS]
#
# A line that is run is not yet one whose effect a test looks at: tests/mutants
# measures that. build/coverage/lines.txt lists the lines that were not run.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$root/build/coverage

"$root/third_party/setup.sh" --tests
"$root/pipeline/cmake/build.sh" "$build" coverage all
find "$build" -name '*.gcda' -delete
failed=0
ctest --test-dir "$build" --output-on-failure --parallel 2 "$@" || failed=$?

cd "$root"
gcovr --root . --object-directory "$build" --filter pipeline/ --filter stages/ \
  --exclude-unreachable-branches --exclude-throw-branches \
  --exclude-lines-by-pattern '.*NERFPIPE_CHECK.*' \
  --csv "$build/coverage.csv" --txt "$build/lines.txt" -j 2 >/dev/null

# Columns: file, lines and those run, percent, branches and those taken.
awk -F , '
  NR == 1 { next }
  {
    folder = $1
    sub(/\/[^\/]*$/, "", folder)
    lines[folder] += $2; run[folder] += $3
    branches[folder] += $5; taken[folder] += $6
    lines["all"] += $2; run["all"] += $3
    branches["all"] += $5; taken["all"] += $6
  }
  function share(part, whole) { return whole ? 100 * part / whole : 100 }
  END {
    for (folder in lines) {
      printf "%-24s %6d lines %5.1f %%   %6d branches %5.1f %%\n", folder,
        lines[folder], share(run[folder], lines[folder]), branches[folder],
        share(taken[folder], branches[folder])
    }
  }' "$build/coverage.csv" | sort
echo "lines that were not run: $build/lines.txt"
exit "$failed"
