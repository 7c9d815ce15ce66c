#!/bin/sh
# Installs what building nerfpipe takes and is not there yet: Debian packages
# and, once per user, COLMAP as a library. Usage: third_party/setup.sh [--tests]
#
# Prints nothing when nothing is missing.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lists=$here/packages.txt
if [ "${1:-}" = --tests ]; then
  lists="$lists $here/packages-test.txt"
fi

say() { echo "nerfpipe: $*" >&2; }
seconds() { echo $(($(date +%s) - $1)); }

# Names of the packages that are not installed, on one line.
missing_packages() {
  # shellcheck disable=SC2086 # one list per word
  wanted=$(sed -e 's/#.*//' -e "/\[!$(dpkg --print-architecture)\]/d" \
    -e 's/\[.*//' -e 's/[[:space:]]*$//' -e '/^$/d' $lists | sort)
  # shellcheck disable=SC2016,SC2086 # dpkg's own fields; one package per word
  dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' $wanted \
    2>/dev/null | sed -n 's/ installed$//p' | sort -u >"$scratch/installed"
  echo "$wanted" | sort -u | comm -23 - "$scratch/installed" | tr '\n' ' '
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# The package manager's long account goes to a log that is shown by name only.
install_packages() {
  log=${TMPDIR:-/tmp}/nerfpipe-setup-$(id -u).log
  : >"$log"
  start=$(date +%s)
  say "installing $# Debian packages with what they need (once, a few" \
    "minutes): $*"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      say "this needs the rights of root, and there is no sudo; run as root:" \
        "apt-get install --no-install-recommends $*"
      exit 1
    }
    # Asks for the password here, before output goes to the log.
    sudo -v || {
      say "not allowed to install packages; ask for:" \
        "apt-get install --no-install-recommends $*"
      exit 1
    }
  fi
  as_root apt-get update >>"$log" 2>&1 ||
    say "the package lists could not all be renewed; going on with those here"
  as_root apt-get install --yes --no-install-recommends "$@" \
    >>"$log" 2>&1 </dev/null || {
    grep '^E: ' "$log" | head -n 3 >&2 || :
    say "installing packages failed after $(seconds "$start") s; the log is $log"
    exit 1
  }
  say "packages installed in $(seconds "$start") s"
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  # Someone else's package manager is theirs to use. If they have brought
  # everything along, the build finds it.
  if command -v cmake >/dev/null && command -v ninja >/dev/null; then
    exit 0
  fi
  say "this machine has no apt-get, so install these by hand (the names are" \
    "Debian 12's), and COLMAP 3.10 as a library:"
  # shellcheck disable=SC2086
  sed -e '/^#/d' -e '/^$/d' -e 's/^/  /' $lists >&2
  exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

missing=$(missing_packages)
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086 # one package per word
  install_packages $missing
fi

# An installed COLMAP that CMake can find is as good as our own.
if [ -z "${COLMAP_DIR:-}" ]; then
  "$here/colmap/build.sh" >/dev/null
fi
