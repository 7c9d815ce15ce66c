#!/bin/sh
# Fails for code that is not laid out as .clang-format says, and for files
# that have grown too long. Usage: tests/check_format.sh [ROOT]
set -eu

root=${1:-$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)}
cd "$root"

# Our files as git knows them (new ones included), or all in a plain archive.
list_files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cc'
  else
    find pipeline stages data tests \( -name '*.h' -o -name '*.cc' \) -print0 \
      2>/dev/null
  fi
}

# The output of another version of clang-format differs in places.
formatter=clang-format-14
command -v "$formatter" >/dev/null || {
  echo "$formatter is missing; third_party/setup.sh --tests installs it"
  exit 1
}

bad=0
list_files | xargs -0 -r "$formatter" --dry-run -Werror 2>&1 |
  grep -E 'error:' | sed 's/: error: .*/: not formatted/' | sort -u |
  awk -F : '!seen[$1]++' | grep . && bad=1

# Budgets in lines.
list_files | xargs -0 -r awk '
  function budget(path) {
    if (path ~ /^tests\//) return 600
    return path ~ /\.h$/ ? 200 : 400
  }
  function judge() {
    if (path != "" && count > budget(path)) {
      print path ":" count ": longer than " budget(path) " lines; split it"
      bad = 1
    }
  }
  FNR == 1 { judge(); path = FILENAME }
  { count = FNR }
  END { judge(); exit bad }
' || bad=1

exit "$bad"
