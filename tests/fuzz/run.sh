#!/bin/bash
# Fuzzes the readers of files, one after the other:
#
#   run.sh PROGRAM FOLDER SECONDS [READER ...]
#
# PROGRAM is readers_fuzz (cmake --preset fuzz && cmake --build --preset fuzz) or
# scenes_fuzz (the preset fuzz-scenes). FOLDER keeps what was learnt, so that the
# next run goes on, and what was found, in FOLDER/READER/found. SECONDS are for
# each reader. Seeds are the reference files of the tests and, where
# NERFPIPE_TEST_DATA points to them, the damaged files of real captures. Fails
# when something was found.
set -euo pipefail

program=$(realpath "$1")
folder=$2
seconds=$3
shift 3
source=$(realpath "$(dirname "$0")/../..")
data=${NERFPIPE_TEST_DATA:-}
readers=("$@")
if [ ${#readers[@]} = 0 ]; then
  mapfile -t readers < <("$program" </dev/null 2>/dev/null || true)
  [ ${#readers[@]} -gt 0 ] || { echo "$program does not start" >&2; exit 1; }
fi

# seed READER FILE [FIRST_BYTE]: the beginning of the file, behind a byte that
# says which of several formats it is.
seed() {
  local to
  [ -f "$2" ] || return 0
  to=$folder/$1/seeds/$(basename "$2")
  { [ -z "${3:-}" ] || printf "%b" "$3"; head -c 110000 "$2"; } >"$to"
}

plant() {
  local file model
  case $1 in
    image)
      for file in "$data"/bad/image/* "$data"/bad/image/exif_orientation/*; do
        seed image "$file"
      done ;;
    video)
      # Small ones, for a cut one is refused at once.
      for file in "$data"/bad/video/*.*; do
        if [ -f "$file" ] && [ "$(stat -c %s "$file")" -lt 110000 ]; then
          seed video "$file"
        fi
      done ;;
    colmap_binary)
      for model in "$data/bad/colmap_truncated" "$data/captures/beer/sparse/0"; do
        seed colmap_binary "$model/cameras.bin" '\x00'
        seed colmap_binary "$model/images.bin" '\x01'
        seed colmap_binary "$model/points3D.bin" '\x02'
      done ;;
    colmap_text)
      model=$source/tests/reference/llff_model
      seed colmap_text "$model/cameras.txt" '\x00'
      seed colmap_text "$model/images.txt" '\x01'
      seed colmap_text "$model/points3D.txt" '\x02' ;;
    npy | poses_bounds)
      for file in "$source"/tests/reference/*.npy; do seed "$1" "$file"; done ;;
    llff_scene)
      seed "$1" "$data/captures/beer/poses_bounds.npy"
      seed "$1" "$source/tests/reference/llff_poses_bounds.npy" ;;
    colmap_scene)
      model=$source/tests/reference/llff_model
      { cat "$model/cameras.txt"; echo --; cat "$model/images.txt"; echo --
        cat "$model/points3D.txt"; } >"$folder/$1/seeds/model"
      cat >"$folder/$1/seeds/small" <<'TEXT'
1 PINHOLE 16 12 20 20 8 6
--
1 1 0 0 0 0 0 4 1 0.png
8 6 1
2 1 0 0 0 1 0 4 1 1.png
3 6 1
--
1 0 0 0 9 9 9 0.5 1 0 2 0
TEXT
      ;;
    cameras | transforms_scene | synthetic_scene)
      seed "$1" "$data/fox/transforms.json"
      seed "$1" "$data/lego_100/transforms_train.json"
      cat >"$folder/$1/seeds/small" <<'JSON'
{"camera_angle_x": 0.7, "w": 16, "h": 12, "fl_x": 20, "fl_y": 20, "cx": 8,
 "cy": 6, "k1": 0, "aabb_scale": 4, "frames": [
 {"file_path": "images/0", "sharpness": 2.5, "transform_matrix":
  [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]},
 {"file_path": "./images/1.png", "transform_matrix":
  [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]}]}
JSON
      ;;
    ply_splats)
      { printf 'ply\nformat binary_little_endian 1.0\nelement vertex 3\n'
        printf 'property float %s\n' x y z f_dc_{0..2} f_rest_{0..8} opacity \
          scale_{0..2} rot_{0..3}
        printf 'end_header\n'
        head -c 276 /dev/zero | tr '\0' '?'; } >"$folder/$1/seeds/small" ;;
    splat_records)
      head -c 96 /dev/zero | tr '\0' '?' >"$folder/$1/seeds/small" ;;
    spz_splats)
      # Versions and the size of a gaussian of degree 1, of which there are 3.
      for version in 1:25 2:28 3:29; do
        { printf %b "NGSP\x${version%:*}\0\0\0\x3\0\0\0\x1\xc\0\0"
          head -c "$((3 * ${version#*:}))" /dev/zero | tr '\0' '?'
        } >"$folder/$1/seeds/version_${version%:*}"
      done ;;
    configuration)
      # Defaults as values.
      sed 's/^  # /  /' "$source/configs/default.yaml" \
        >"$folder/configuration/seeds/default" ;;
    *)
      # Whatever workspaces of the user's are named here.
      for file in ${NERFPIPE_FUZZ_SEEDS:-}; do seed "$1" "$file"; done ;;
  esac
}

NERFPIPE_FUZZ_FOLDER=$(mktemp -d /dev/shm/nerfpipe-fuzz-XXXXXX)
export NERFPIPE_FUZZ_FOLDER
trap 'rm -rf "$NERFPIPE_FUZZ_FOLDER"' EXIT

# Says what was read and found; fails when something was.
fuzz() {
  local work=$folder/$1
  mkdir -p "$work/corpus" "$work/found"
  NERFPIPE_READER=$1 "$program" "$work/corpus" "$work/seeds" \
    -max_total_time="$seconds" -max_len=120000 -timeout=60 -report_slow_units=60 \
    -rss_limit_mb=3000 -artifact_prefix="$work/found/" -print_final_stats=1 \
    >"$work/log" 2>&1 || true
  echo "$1: $(sed -n 's/stat::number_of_executed_units: *//p' "$work/log")" \
    "files read, $(ls "$work/found" | wc -l) found"
  grep -q '^stat::number_of_executed_units' "$work/log" &&
    [ -z "$(ls "$work/found")" ]
}

found=0
for reader in "${readers[@]}"; do
  mkdir -p "$folder/$reader/seeds"
  echo '{}' >"$folder/$reader/seeds/empty"
  plant "$reader"
  fuzz "$reader" || found=1
done
exit $found
