#!/bin/sh
# Runs a Ninja build, puts its output into a log and shows only how far it is.
# Usage: progress.sh LABEL LOG COMMAND...
#
# On a terminal one line is rewritten; elsewhere a line per quarter is printed.
# Exits as COMMAND does.
set -eu

label=$1
log=$2
shift 2

status=$(mktemp)
trap 'rm -f "$status"' EXIT
trap 'exit 130' INT TERM
export NINJA_STATUS='[%f/%t] '
start=$(date +%s)

# "[75/163] Building ..." as percent and minutes left.
show() {
  quarter=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    case $line in
      '['[0-9]*/[0-9]*'] '*) ;;
      *) continue ;;
    esac
    counts=${line%%]*}
    counts=${counts#?}
    done=${counts%/*}
    total=${counts#*/}
    elapsed=$(($(date +%s) - start))
    if [ -t 2 ]; then
      left=
      if [ "$elapsed" -ge 20 ] && [ $((done * 10)) -ge "$total" ]; then
        left=$((elapsed * (total - done) / done))
        left=", about $(((left + 59) / 60)) min left"
      fi
      printf '\rnerfpipe: %s %s/%s%s \033[K' "$label" "$done" "$total" \
        "$left" >&2
    elif [ $((done * 4 / total)) -gt "$quarter" ] && [ "$done" -lt "$total" ]
    then
      quarter=$((done * 4 / total))
      echo "nerfpipe: $label $done/$total after $elapsed s" >&2
    fi
  done
}

{
  code=0
  "$@" 2>&1 || code=$?
  echo "$code" >"$status"
} | show 3>>"$log"
if [ -t 2 ]; then
  printf '\r\033[K' >&2
fi
exit "$(cat "$status")"
