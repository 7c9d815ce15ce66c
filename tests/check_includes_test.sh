#!/bin/sh
# Plants includes that point the wrong way in a scratch tree, one at a time,
# and expects tests/check_includes.sh to find each, with its place.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# expect VERDICT FILE LINE: the second line of FILE is the include.
expect() {
  rm -rf "$tree/pipeline" "$tree/stages" "$tree/data"
  mkdir -p "$tree/$(dirname "$2")"
  printf '#pragma once\n%s\n' "$3" >"$tree/$2"
  found=good
  output=$("$here/check_includes.sh" "$tree") || found=bad
  case $found:$output in
    good:) ;;
    bad:"$2:2: "*) ;;
    *) found="unclear ($output)" ;;
  esac
  if [ "$found" != "$1" ]; then
    echo "$2: '$3' should be $1, but is found to be $found"
    failures=$((failures + 1))
  fi
}

# Along the arrows.
expect good pipeline/engine/a.cc '#include "pipeline/base/error.h"'
expect good pipeline/cli/a.cc '#include "stages/capture/extract_stage.h"'
expect good stages/llff/a.cc '#include "pipeline/engine/stage.h"'
expect good stages/llff/a.cc '#include "stages/common/image.h"'
expect good stages/llff/a.cc '#include <opencv2/core.hpp>'
expect good stages/nerf/a.h '#include <torch/torch.h>'
expect good stages/nerf/data/a.cc '#include "stages/nerf/scene.h"'
expect good stages/nerf/kernels/a.cc '#include <immintrin.h>'
expect good pipeline/base/a.cc '#include <sys/wait.h>'

# Against them.
expect bad pipeline/base/a.h '#include "pipeline/engine/stage.h"'
expect bad pipeline/engine/a.cc '#include "pipeline/cli/app.h"'
expect bad pipeline/engine/a.cc '#include "stages/common/image.h"'
expect bad stages/llff/a.cc '#include "stages/capture/extract_stage.h"'
expect bad stages/llff/a.cc '#include "pipeline/engine/runner.h"'
expect bad stages/common/a.cc '#include "stages/media/image_file.h"'
expect bad stages/nerf/a.cc '#include "stages/common/image.h"'
expect bad stages/nerf/a.cc '#include "pipeline/base/atomic_file.h"'
expect bad stages/nerf/a.cc '#include "stages/nerf/data/blender.h"'
expect bad stages/nerf/kernels/a.cc '#include <torch/torch.h>'
expect bad stages/nerf/a.cc '#include <nlohmann/json.hpp>'
expect good stages/colmap/mapping/a.cc '#include "stages/colmap/matching/two_view.h"'
expect bad stages/colmap/matching/a.cc '#include "stages/colmap/mapping/lens.h"'
expect bad stages/colmap/features/a.h '#include "stages/colmap/colmap_options.h"'
expect bad data/demo/a.cc '#include "stages/nerf/scene.h"'

# Heavy libraries outside their folder, in headers, or unknown.
expect bad pipeline/cli/a.cc '#include <torch/torch.h>'
expect bad stages/capture/a.cc '#include <colmap/scene/database.h>'
expect bad stages/capture/a.cc '  #  include <libavcodec/avcodec.h>'
expect bad stages/llff/a.h '#include <opencv2/core.hpp>'
expect bad stages/colmap/a.h '#include <colmap/scene/database.h>'
expect good stages/colmap/matching/colmap_types.h '#include <colmap/scene/camera.h>'
expect good stages/colmap/a.cc '#include "stages/colmap/matching/colmap_types.h"'
expect bad stages/colmap/a.h '#include "stages/colmap/matching/colmap_types.h"'
expect bad pipeline/cli/a.cc '#include "stages/colmap/matching/colmap_types.h"'
expect bad pipeline/cli/a.cc '#include <yaml-cpp/yaml.h>'
expect bad pipeline/engine/a.cc '#include <CLI/CLI.hpp>'
expect bad pipeline/base/a.cc '#include <newlib/thing.h>'
expect bad stages/llff/a.cc '#include "resize.h"'
expect bad stages/unheard/a.cc '#include <vector>'

if [ "$failures" -gt 0 ]; then
  exit 1
fi
echo "all planted includes were judged as they should be"
