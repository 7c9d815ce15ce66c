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
recipe=2 # raise it when the options or what is left out below change

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
home=${HOME:-$(getent passwd "$(id -u)" | cut -d : -f 6)}
cache=${NERFPIPE_CACHE:-${XDG_CACHE_HOME:-$home/.cache}/nerfpipe}
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

mkdir -p "$cache" || {
  echo "nerfpipe: cannot write to $cache; set NERFPIPE_CACHE to a folder for" \
    "the COLMAP library" >&2
  exit 1
}
# Two first runs at once would build twice into one folder: the second waits.
exec 9>"$cache/$name.lock"
flock 9
if [ -f "$prefix/.complete" ]; then
  echo "$prefix"
  exit 0
fi

rm -rf "$cache/$name.build."* # left behind by a kill
work=$(mktemp -d "$cache/$name.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
log=$cache/$name.log
fail() {
  echo "nerfpipe: building COLMAP $version failed while $1; the log is $log" >&2
  grep -E -m 3 -A 2 '^E: |CMake Error|error:' "$log" >&2 ||
    tail -n 5 "$log" >&2
  exit 1
}

# Mirrors to ask, best first: the machine's own, then Debian's.
own_mirrors() {
  # shellcheck disable=SC2016 # apt's own fields
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' \
    'Created-By: Packages' 2>>"$log" |
    sed -n -e 's/^Debian //p' -e 's/^ *\(http.*\/debian\/\)$/\1/p' |
    grep -v security | sort -u
}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
private_apt() {
  apt-get -o Dir::Etc::SourceList="$work/source.list" \
    -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
fetch_from() {
  rm -rf "$work/lists" "$work/cache"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  echo "deb-src [signed-by=$keyring] $1 trixie main" >"$work/source.list"
  (
    cd "$work" && private_apt update &&
      private_apt source --tar-only --download-only "$package"
  ) >>"$log" 2>&1 && [ -f "$work/$tarball" ]
}

: >"$log"
start=$(date +%s)
[ -f "$keyring" ] || fail \
  "looking for $keyring (of the package debian-archive-keyring)"
echo "nerfpipe: fetching the source of COLMAP $version" >&2
for mirror in $(own_mirrors) http://deb.debian.org/debian; do
  if fetch_from "$mirror"; then
    break
  fi
done
[ -f "$work/$tarball" ] || fail "fetching its source"
echo "$sha256  $work/$tarball" | sha256sum --check --quiet >>"$log" 2>&1 ||
  fail "checking the SHA-256 of its source"
mkdir "$work/src"
tar -xf "$work/$tarball" -C "$work/src" --strip-components=1

# What nothing here calls is not compiled: COLMAP's programs (twice the text of
# each), dense reconstruction with its mesher, vocabulary trees, rigs of several
# cameras. That is nearly half of the time.
leave_out_lines() { # FILE PATTERN...
  lists=$work/src/$1
  shift
  for pattern; do
    grep -q -x -e " *$pattern" "$lists" || fail "looking for $pattern in $lists"
    sed -i -e "/^ *$pattern\$/d" "$lists"
  done
}
leave_out_sources() { # FOLDER NAME...
  folder=src/colmap/$1/CMakeLists.txt
  shift
  for name; do leave_out_lines "$folder" "$name\.h $name\.cc"; done
}
leave_out_lines src/colmap/CMakeLists.txt 'add_subdirectory(exe)' \
  'add_subdirectory(mvs)' 'add_subdirectory(retrieval)' \
  'add_subdirectory(tools)'
leave_out_lines src/thirdparty/CMakeLists.txt 'add_subdirectory(PoissonRecon)'
leave_out_lines CMakeLists.txt colmap_exe colmap_mvs colmap_retrieval \
  colmap_poisson_recon
leave_out_lines src/colmap/controllers/CMakeLists.txt colmap_mvs
leave_out_sources controllers automatic_reconstruction bundle_adjustment \
  hierarchical_mapper feature_extraction feature_matching \
  feature_matching_utils image_reader option_manager
leave_out_sources estimators affine_transform coordinate_frame covariance \
  generalized_absolute_pose generalized_absolute_pose_coeffs \
  generalized_relative_pose generalized_pose
leave_out_lines src/colmap/feature/CMakeLists.txt colmap_retrieval
leave_out_sources feature pairing
leave_out_sources scene scene_clustering

echo "nerfpipe: building COLMAP $version (once per machine, 5 to 10" \
  "minutes)" >&2
cmake -S "$work/src" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_INSTALL_PREFIX="$prefix" -DGUI_ENABLED=OFF -DCUDA_ENABLED=OFF \
  -DOPENGL_ENABLED=OFF -DCGAL_ENABLED=OFF -DTESTS_ENABLED=OFF \
  -DLSD_ENABLED=OFF -DIPO_ENABLED=OFF -DUNINSTALL_ENABLED=OFF \
  -DCCACHE_ENABLED=OFF >>"$log" 2>&1 || fail "configuring it"
"$here/../progress.sh" "compiling COLMAP" "$log" cmake --build \
  "$work/build" -j "$("$here/../jobs.sh")" || fail "compiling it"
rm -rf "$prefix"
cmake --install "$work/build" >>"$log" 2>&1 || fail "installing it"
touch "$prefix/.complete"
echo "nerfpipe: COLMAP $version built in $(($(date +%s) - start)) s" >&2
echo "$prefix"
