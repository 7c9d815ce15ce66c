#!/bin/sh
# What cameras cost and how right they are as a clip gets longer: two rounds of
# the demo's car in 50, 100, 200 and 400 frames.
#
#   sfm_growth.sh BUILD FOLDER [--set option=value ...]
#
# BUILD is the build folder. The clip in FOLDER is filmed once.
set -eu

build=$1
folder=$2
shift 2
mkdir -p "$folder"
if [ ! -f "$folder/cameras.json" ]; then
  "$build/tests/bench/two_rounds" "$folder"
fi
for every in 8 4 2 1; do
  work=$folder/every_$every
  rm -rf "$work"
  "$build/pipeline/cli/nerfpipe" run "$folder/two_rounds.mp4" -w "$work" \
    --until colmap -q --set extract.every=$every "$@"
  python3 - "$work/summary.json" <<'PYTHON'
import json, sys
summary = json.load(open(sys.argv[1]))
frames = summary["frames"]
seconds = summary["stages"]["colmap"]["seconds"]
print("%d of %d frames: %.1f s, %.3f s a frame, %.2f px" % (
    frames["registered"], frames["kept"], seconds, seconds / frames["kept"],
    summary["reconstruction"]["mean_reprojection_error_px"]))
PYTHON
  "$build/tests/end_to_end/pose_error" "$work" "$folder/cameras.json"
done
