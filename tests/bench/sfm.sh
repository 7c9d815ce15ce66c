#!/bin/sh
# Cameras from the same frames, by the colmap stage and by the colmap program
# of the system (sequential matcher, its defaults, CPU), one after the other:
#
#   sfm.sh NERFPIPE CAPTURE FOLDER [--set option=value ...]
#
# Both end with undistorted images. FOLDER/ours and FOLDER/stock/undistorted can
# be trained on for a comparison of quality.
set -eu

program=$1
capture=$2
folder=$3
shift 3
rm -rf "$folder"
mkdir -p "$folder/stock/images"
ours=$folder/ours
stock=$folder/stock

seconds() { date +%s.%N; }
since() { seconds | awk -v from="$1" '{ printf "%.1f", $1 - from }'; }

"$program" run "$capture" -w "$ours" --until check -q "$@"
# The frames that were kept, for both.
python3 - "$ours" "$stock/images" <<'EOF'
import json, os, shutil, sys
for frame in json.load(open(sys.argv[1] + "/capture.json"))["frames"]:
    if frame["kept"]:
        shutil.copy(os.path.join(sys.argv[1], "frames", frame["name"]),
                    sys.argv[2])
EOF
echo "$(ls "$stock/images" | wc -l) frames"

start=$(seconds)
"$program" run -w "$ours" --until colmap -q "$@"
ours_time=$(since "$start")

log=$folder/stock.log
start=$(seconds)
colmap feature_extractor --database_path "$stock/database.db" \
  --image_path "$stock/images" --ImageReader.single_camera 1 \
  --SiftExtraction.use_gpu 0 >"$log" 2>&1
features=$(since "$start")
colmap sequential_matcher --database_path "$stock/database.db" \
  --SiftMatching.use_gpu 0 >>"$log" 2>&1
matches=$(since "$start")
mkdir -p "$stock/distorted"
colmap mapper --database_path "$stock/database.db" \
  --image_path "$stock/images" --output_path "$stock/distorted" >>"$log" 2>&1
mapped=$(since "$start")
# The model with the most images: the mapper numbers them as they come.
best=$(for model in "$stock"/distorted/*; do
  colmap model_analyzer --path "$model" 2>&1 |
    sed -n 's/.*Registered images: *//p' | tr '\n' ' '
  echo "$model"
done | sort -n | tail -n 1 | cut -d ' ' -f 2-)
colmap image_undistorter --image_path "$stock/images" --input_path "$best" \
  --output_path "$stock/undistorted" >>"$log" 2>&1
stock_time=$(since "$start")
# As a data set of ours, for training and for tests/end_to_end/pose_error.
mkdir "$stock/undistorted/sparse/0"
mv "$stock/undistorted/sparse/"*.bin "$stock/undistorted/sparse/0"
cp "$ours/capture.json" "$stock/undistorted"

describe() {
  colmap model_analyzer --path "$1" 2>&1 |
    sed -n -e 's/.*Registered images: *\(.*\)/\1 images/p' \
      -e 's/.*Points: *\(.*\)/\1 points/p' \
      -e 's/.*Mean reprojection error: *//p' | tr '\n' ' '
}
echo "ours:  $ours_time s: $(describe "$ours/sparse/0")"
echo "stock: $stock_time s (features until $features, matches until $matches," \
  "mapping until $mapped): $(describe "$best")"
awk -v a="$stock_time" -v b="$ours_time" \
  'BEGIN { printf "ratio: %.2f\n", a / b }'
