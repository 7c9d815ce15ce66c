#!/bin/sh
# Fails with file:line for every #include that points the wrong way.
# Usage: tests/check_includes.sh [ROOT]
#
# The table says what the files of a folder may include: folders and files of
# the project, then families of third-party headers. The line of the longest
# matching folder counts. A folder with "/" at the end stands for itself and
# everything below it.
set -eu

root=${1:-$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)}
cd "$root"

table='
pipeline/base/: pipeline/base/ | fmt json xxhash
pipeline/engine/: pipeline/base/ pipeline/engine/ | fmt json yaml xxhash
pipeline/cli/: pipeline/ stages/capture/ stages/colmap/ stages/llff/ stages/media/ stages/nerf/stage/ | fmt json cli11
stages/geometry/: pipeline/base/error.h stages/geometry/ |
stages/common/: pipeline/base/ stages/geometry/ stages/common/ | fmt json eigen
stages/media/: pipeline/base/ stages/common/ stages/media/ | fmt json eigen opencv ffmpeg heif jpeg
stages/capture/: STAGE stages/capture/ | fmt json eigen opencv
stages/colmap/: STAGE stages/colmap/ | fmt json eigen colmap
stages/colmap/features/: COLMAP_BASE stages/colmap/features/ | fmt eigen colmap
stages/colmap/matching/: COLMAP_BASE stages/colmap/features/ stages/colmap/matching/ | fmt eigen colmap
stages/colmap/mapping/: COLMAP_BASE stages/colmap/features/ stages/colmap/matching/ stages/colmap/mapping/ | fmt eigen colmap
stages/colmap/refinement/: COLMAP_BASE stages/colmap/features/ stages/colmap/matching/ stages/colmap/mapping/ stages/colmap/refinement/ | fmt eigen colmap
stages/llff/: STAGE stages/llff/ | fmt json eigen opencv
stages/nerf/: stages/nerf/ stages/geometry/ NERF_BASE | torch
stages/nerf/splat/: stages/nerf/ stages/stereo/ NERF_BASE | torch
stages/nerf/kernels/: stages/nerf/kernels/ NERF_BASE | highway
stages/nerf/splat/kernels/: stages/nerf/splat/kernels/ stages/nerf/kernels/buffer.h | highway
stages/stereo/: pipeline/base/random.h stages/stereo/ | highway
stages/nerf/splat_files/: pipeline/base/ stages/nerf/splat_files/ | json zlib
stages/nerf/data/: STAGE stages/nerf/ | fmt json eigen torch
stages/nerf/stage/: STAGE stages/nerf/stage/ NERF_OPTIONS | fmt json eigen
stages/nerf/jobs/: STAGE stages/nerf/ | fmt json eigen torch
data/: pipeline/base/ stages/common/ stages/media/ data/ | fmt json eigen
'

# Families of headers by how their names begin. Those marked with "*" must
# stay in .cc files. A name in no family that has no "/" is the standard
# library or the system. The private headers are excepted, and in return only
# .cc files of the same stage may include them.
families='
cli11 CLI/
*colmap colmap/ ceres/ glog/ boost/ sqlite3 FreeImage flann/
eigen Eigen/ unsupported/Eigen/
*ffmpeg libav libsw
fmt fmt/
*heif libheif/
highway hwy/
*jpeg jpeglib turbojpeg
json nlohmann/
*opencv opencv2/
system sys/ linux/ arpa/ netinet/
torch torch/ ATen/ c10/ caffe2/
xxhash xxhash
*yaml yaml-cpp/
*zlib zlib.h
'
private_headers='
stages/colmap/refinement/added_points.h
stages/colmap/refinement/halves.h
stages/colmap/refinement/lens_choice.h
stages/colmap/features/affine_features.h
stages/colmap/mapping/bundle_adjustment.h
stages/colmap/matching/colmap_types.h
stages/colmap/mapping/reconstruction_copy.h
'

find pipeline stages data -type f \( -name '*.h' -o -name '*.cc' \) \
  -print0 2>/dev/null | sort -z |
  xargs -0 -r grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null |
  awk -v table="$table" -v families="$families" \
    -v private_headers="$private_headers" '
    BEGIN {
      sets["STAGE"] = "pipeline/base/ pipeline/engine/stage.h " \
        "pipeline/engine/options.h stages/geometry/ stages/common/ " \
        "stages/media/"
      sets["COLMAP_BASE"] = "pipeline/base/ stages/geometry/ " \
        "stages/common/ stages/media/"
      sets["NERF_BASE"] = "pipeline/base/blas_threads.h pipeline/base/error.h " \
        "pipeline/base/interrupt.h pipeline/base/random.h " \
        "pipeline/base/report.h pipeline/base/system_call.h"
      sets["NERF_OPTIONS"] = "stages/nerf/options.h " \
        "stages/nerf/method_facts.h " \
        "stages/nerf/nerf_option_list.h stages/nerf/ngp_option_list.h " \
        "stages/nerf/option_lists.h stages/nerf/option_rules.h " \
        "stages/nerf/options_text.h stages/nerf/splat_option_list.h"
      n = split(table, lines, "\n")
      for (i = 1; i <= n; i++) {
        if (lines[i] == "") continue
        split(lines[i], parts, /: | \| /)
        for (name in sets) sub(name, sets[name], parts[2])
        project_rule[parts[1]] = parts[2]
        family_rule[parts[1]] = " system " parts[3] " "
      }
      n = split(families, lines, "\n")
      for (i = 1; i <= n; i++) {
        if (lines[i] == "") continue
        count = split(lines[i], parts, " ")
        name = parts[1]
        if (sub(/^\*/, "", name)) source_only[name] = 1
        for (j = 2; j <= count; j++) family_of[parts[j]] = name
      }
      n = split(private_headers, lines, "\n")
      for (i = 1; i <= n; i++)
        if (lines[i] != "") is_private[lines[i]] = 1
      bad = 0
    }
    function complain(text) {
      print file ":" line ": #include " shown ": " text
      bad = 1
    }
    # stages/colmap/ of stages/colmap/mapping/lens.h.
    function room(path) {
      match(path, /^[^\/]*\/[^\/]*\//)
      return substr(path, 1, RLENGTH)
    }
    function begins(text, start) {
      return substr(text, 1, length(start)) == start
    }
    {
      # path:line:#include ...
      if (!match($0, /:[0-9]+:/)) next
      file = substr($0, 1, RSTART - 1)
      line = substr($0, RSTART + 1, RLENGTH - 2)
      rest = substr($0, RSTART + RLENGTH)
      sub(/^[[:space:]]*#[[:space:]]*include[[:space:]]*/, "", rest)
      quoted = begins(rest, "\"")
      if (!match(rest, quoted ? "\"[^\"]*\"" : "<[^>]*>")) next
      shown = substr(rest, RSTART, RLENGTH)
      header = substr(shown, 2, length(shown) - 2)

      folder = ""
      for (name in project_rule)
        if (begins(file, name) && length(name) > length(folder)) folder = name
      if (folder == "") {
        complain("no rule for this folder in tests/check_includes.sh")
        next
      }

      if (quoted) {
        if (header !~ /^(pipeline|stages|data|tests)\//) {
          complain("give the path from the root of the repository")
          next
        }
        count = split(project_rule[folder], allowed, " ")
        for (i = 1; i <= count; i++)
          if (begins(header, allowed[i]) &&
              (allowed[i] ~ /\/$/ || header == allowed[i])) break
        # The core of the trainer does not see its data sets or its stages.
        outer = folder == "stages/nerf/" &&
          header ~ /^stages\/nerf\/(data|stage|splat_files|jobs)\//
        if (i > count || outer)
          complain(folder " may include only " project_rule[folder])
        else if (header in is_private &&
                 (file !~ /\.cc$/ || room(file) != room(header)))
          complain("private to the .cc files of " room(header))
        next
      }

      family = ""
      for (start in family_of)
        if (begins(header, start)) family = family_of[start]
      if (family == "") {
        if (header ~ /\//)
          complain("unknown library; give it a family in " \
                   "tests/check_includes.sh")
        next
      }
      if (index(family_rule[folder], " " family " ") == 0)
        complain(folder " may not include " family)
      else if (family in source_only && file ~ /\.h$/ &&
               !(file in is_private))
        complain(family " stays out of headers")
    }
    END { exit bad }
  '
