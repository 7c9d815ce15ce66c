#!/bin/sh
# The launcher on a toy tree: builds once, then starts at once; builds again
# after an edit or a deletion; keeps arguments, folder and exit code; works
# through a link; one build for two callers.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree="$scratch/with space"
mkdir -p "$tree/third_party" "$tree/pipeline/cmake" "$tree/pipeline/cli" \
  "$tree/stages" "$tree/configs" "$scratch/elsewhere"
touch "$tree/CMakeLists.txt" "$tree/CMakePresets.json" "$tree/stages/a.cc" \
  "$tree/stages/b.cc"
cp "$here/../nerfpipe" "$tree/"

# Stand-ins that write down their calls.
cat >"$tree/third_party/setup.sh" <<'END'
#!/bin/sh
echo setup >>"$CALLS"
END
cat >"$tree/pipeline/cmake/build.sh" <<'END'
#!/bin/sh
echo "build $2 $3" >>"$CALLS"
mkdir -p "$1/pipeline/cli"
printf '#!/bin/sh\necho "in $(basename "$PWD"): $# $1"\nexit 7\n' \
  >"$1/pipeline/cli/nerfpipe"
chmod +x "$1/pipeline/cli/nerfpipe"
touch "$1/.built"
END
chmod +x "$tree/third_party/setup.sh" "$tree/pipeline/cmake/build.sh"
ln -s "$tree/nerfpipe" "$scratch/link"

export CALLS="$scratch/calls"
unset NERFPIPE_BUILD_DIR
fail() {
  echo "$1"
  exit 1
}
# expect BUILDS WHAT: runs the launcher; so many builds in all must have been.
expect() {
  code=0
  output=$(cd "$scratch/elsewhere" && "$scratch/link" "two words" x) || code=$?
  [ "$code" -eq 7 ] || fail "$2: exit code $code"
  [ "$output" = "in elsewhere: 2 two words" ] || fail "$2: said '$output'"
  builds=$(grep -c '^build release nerfpipe$' "$CALLS" || :)
  [ "$builds" -eq "$1" ] || fail "$2: $builds builds instead of $1"
}

find "$tree" -exec touch -d '2001-01-01' {} +
expect 1 "first call"
expect 1 "second call"
touch -d '+1 minute' "$tree/stages/a.cc"
expect 2 "after an edit"
touch -d 2001-01-01 "$tree/stages/a.cc"
expect 2 "with nothing new"
rm "$tree/stages/b.cc"
touch -d '+1 minute' "$tree/stages"
expect 3 "after a deletion"
[ "$(grep -c setup "$CALLS")" -eq 3 ] || fail "set-up was not called each time"
