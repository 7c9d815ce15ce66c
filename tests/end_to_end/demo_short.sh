#!/bin/sh
# The demo from video to MP4 in a shortened form: fewer frames, few training
# steps, a short clip. Usage: demo_short.sh PROGRAM DEMO_FOLDER POSE_ERROR
#
# Checks that every stage is done, that the cameras are the true ones, that
# summary.json and the MP4 are there, and that a second run changes nothing.
# The path has a space in it.
set -eu

program=$1
video=$2/car.mp4
truth=$2/car_cameras.json
pose_error=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
workspace="$scratch/a car"

fail() {
  echo "demo_short: $1"
  exit 1
}
run() {
  "$program" run "$video" -w "$workspace" \
    --set extract.target=40 --set train.method=ngp --set train.steps=300 \
    --set train.factor=8 --set splat.factor=4 --set splat.steps=100 \
    --set render.frames=12 --set render.scale=1
}

run
summary=$workspace/summary.json
[ -s "$summary" ] || fail "no summary.json"
for stage in extract check colmap poses downsample train splat export render; do
  tr -d ' \n' <"$summary" | grep -q "\"$stage\":{\"state\":\"done\"" ||
    fail "summary.json does not say that $stage is done"
done
"$pose_error" "$workspace" "$truth" 0.5 0.2 || fail "the cameras are off"
clip=$(sed -n 's/.*"video": *"\([^"]*\)".*/\1/p' "$summary" | head -n 1)
[ -n "$clip" ] || fail "summary.json names no video"
# An MP4 begins with a box of type ftyp.
[ "$(dd if="$workspace/$clip" bs=1 skip=4 count=4 2>/dev/null)" = ftyp ] ||
  fail "$clip is not an MP4"
[ "$(wc -c <"$workspace/$clip")" -gt 5000 ] || fail "$clip is nearly empty"

# Names, sizes and times of all results; logs may grow.
listing() {
  find "$workspace" -path "$workspace/.nerfpipe" -prune -o -type f \
    ! -name summary.json ! -name nerfpipe.yaml -printf '%p %s %T@\n' | sort
}
listing >"$scratch/before"
run
listing | diff "$scratch/before" - || fail "a second run changed files"
