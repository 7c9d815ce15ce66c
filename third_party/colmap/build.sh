#!/bin/sh
# Builds COLMAP 3.10 as a library, once per machine, and prints the folder it
# is installed in. Usage: third_party/colmap/build.sh [--print-prefix]
#
# Debian packages only the colmap program, so the library comes from the source
# package of a later Debian, fetched by name with apt and private lists: the
# package sources of the system stay as they are.
set -eu

version=3.10
package=colmap=3.10-2
tarball=colmap_3.10.orig.tar.gz
sha256=61850f323e201ab6a1abbfb0e4a8b3ba1c4cedbf55e0a5716bdea1df8ae1813a
recipe=1 # raise it when the options below change

cache=${NERFPIPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nerfpipe}
name=colmap-$version-r$recipe
prefix=$cache/$name

if [ "${1:-}" = --print-prefix ]; then
  echo "$prefix"
  exit 0
fi
if [ -f "$prefix/.complete" ]; then
  echo "$prefix"
  exit 0
fi

mkdir -p "$cache"
# Two first runs at once would build twice into one folder: the second waits.
exec 9>"$cache/$name.lock"
flock 9
if [ -f "$prefix/.complete" ]; then
  echo "$prefix"
  exit 0
fi

work=$(mktemp -d "$cache/$name.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
log=$cache/$name.log
fail() {
  echo "nerfpipe: building COLMAP $version failed while $1; the log is $log" >&2
  tail -n 5 "$log" >&2
  exit 1
}

mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' \
  'Created-By: Packages' | sed -n 's/^Debian //p' | grep -v security |
  head -n 1)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/src"
echo "deb-src [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} trixie main" \
  >"$work/source.list"
private_apt() {
  apt-get -o Dir::Etc::SourceList="$work/source.list" \
    -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}

echo "nerfpipe: fetching the source of COLMAP $version" >&2
(
  cd "$work" && private_apt update &&
    private_apt source --tar-only --download-only "$package"
) >"$log" 2>&1 || fail "fetching its source"
echo "$sha256  $work/$tarball" | sha256sum --check --quiet >>"$log" 2>&1 ||
  fail "checking the SHA-256 of its source"
tar -xf "$work/$tarball" -C "$work/src" --strip-components=1

echo "nerfpipe: building COLMAP $version (once per machine, about 12 CPU" \
  "minutes)" >&2
cmake -S "$work/src" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_INSTALL_PREFIX="$prefix" -DGUI_ENABLED=OFF -DCUDA_ENABLED=OFF \
  -DOPENGL_ENABLED=OFF -DCGAL_ENABLED=OFF -DTESTS_ENABLED=OFF \
  -DLSD_ENABLED=OFF -DIPO_ENABLED=OFF -DUNINSTALL_ENABLED=OFF \
  -DCCACHE_ENABLED=OFF >>"$log" 2>&1 || fail "configuring it"
if [ -t 2 ]; then
  NINJA_STATUS='[%f/%t] ' cmake --build "$work/build" >&2 || fail "compiling it"
else
  cmake --build "$work/build" >>"$log" 2>&1 || fail "compiling it"
fi
rm -rf "$prefix"
cmake --install "$work/build" >>"$log" 2>&1 || fail "installing it"
touch "$prefix/.complete"
echo "$prefix"
