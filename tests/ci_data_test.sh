#!/bin/sh
# What .ci/run makes of the captures for tests: there, not there, required. In a
# toy tree, with stand-ins for everything that it calls.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
scratch=$(CDPATH='' cd -- "$scratch" && pwd -P)
tree="$scratch/tree"
mkdir -p "$tree/.ci" "$tree/third_party" "$tree/pipeline/cmake" "$tree/tests" \
  "$scratch/bin"
cp "$here/../.ci/run" "$tree/.ci/"
for script in nerfpipe third_party/setup.sh pipeline/cmake/build.sh \
  tests/check_format.sh tests/check_includes.sh
do
  printf '#!/bin/sh\n' >"$tree/$script"
done
cat >"$scratch/bin/ctest" <<'END'
#!/bin/sh
echo "tests see ${NERFPIPE_TEST_DATA-no data}"
case " $* " in *" -N "*) echo "Total Tests: 11" ;; esac
END
chmod +x "$tree/nerfpipe" "$tree/third_party/setup.sh" \
  "$tree/pipeline/cmake/build.sh" "$tree/tests/"*.sh "$scratch/bin/ctest"
PATH="$scratch/bin:$PATH"
unset NERFPIPE_TEST_DATA NERFPIPE_REQUIRE_DATA

# expect CODE LINE [NAME=VALUE...]: runs it; its account must have the line.
expect() {
  code=$1
  line=$2
  shift 2
  found=0
  env "$@" "$tree/.ci/run" >"$scratch/account" 2>&1 || found=$?
  if [ "$found" -ne "$code" ] || ! grep -Fqx -e "$line" "$scratch/account"; then
    echo "with '$*' it ended with $found, not $code, or lacks the line"
    echo "  $line"
    cat "$scratch/account"
    exit 1
  fi
}

why="NERFPIPE_TEST_DATA is not set, and ../shared/data is no folder"
expect 0 "ci: tests on real captures are skipped: $why"
expect 0 "ci: 11 tests on real captures were skipped: $why"
expect 0 "tests see no data"
beside="$tree/../shared/data"
expect 1 "ci: there are no captures for tests: $beside is no folder" \
  NERFPIPE_REQUIRE_DATA=1
expect 1 "ci: there are no captures for tests: /no/such is no folder" \
  NERFPIPE_TEST_DATA=/no/such

mkdir -p "$scratch/shared/data" "$scratch/elsewhere"
expect 0 "tests see $scratch/shared/data"
expect 0 "tests see $scratch/shared/data" NERFPIPE_REQUIRE_DATA=1
expect 0 "tests see $scratch/elsewhere" NERFPIPE_TEST_DATA="$scratch/elsewhere"
if grep -q skipped "$scratch/account"; then
  echo "nothing was skipped, but the account says so"
  exit 1
fi
