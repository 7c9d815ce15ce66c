#include "stages/nerf/splat_files/formats.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/nerf/splat_files/glb_file.h"
#include "stages/nerf/splat_files/ply_file.h"
#include "stages/nerf/splat_files/splat_file.h"
#include "stages/nerf/splat_files/spz_file.h"

#include <algorithm>
#include <cctype>

namespace nerfpipe::splats {
namespace {

constexpr Format kFormats[] = {
    {"ply", PlyBytes, ReadPly, /*y_down=*/true},
    {"spz", SpzBytes, ReadSpz, /*y_down=*/false},
    {"splat", SplatBytes, ReadSplat, /*y_down=*/true},
    {"glb", GlbBytes, nullptr, /*y_down=*/false},
};

const Format* Find(std::string_view name) {
  const auto* const found = std::find_if(
      std::begin(kFormats), std::end(kFormats), [&](const Format& format) {
        return name == format.name;
      });
  return found == std::end(kFormats) ? nullptr : found;
}

// "ply, spz, splat or glb", with `before` before each.
std::string Names(const std::string& before, bool readable) {
  std::vector<std::string> names;
  for (const Format& format : kFormats) {
    if (!readable || format.read != nullptr) names.push_back(format.name);
  }
  std::string list;
  for (size_t k = 0; k < names.size(); ++k) {
    const bool last = k + 1 == names.size();
    list += (k == 0 ? "" : last ? " or " : ", ") + before + names[k];
  }
  return list;
}

}  // namespace

std::span<const Format> Formats() { return kFormats; }

const Format& FormatNamed(std::string_view name) {
  const Format* const found = Find(name);
  if (found == nullptr) {
    throw UserError(
        "there is no format of splats called '" + std::string(name) + "'",
        "choose " + Names("", /*readable=*/false));
  }
  return *found;
}

const Format& FormatOfFile(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(
      ending.begin(), ending.end(), ending.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
      });
  const Format* const found = ending.empty() ? nullptr : Find(ending.substr(1));
  if (found == nullptr) {
    throw UserError(
        path.string() + ": its name does not tell its format",
        "give a file that ends in " + Names(".", /*readable=*/true));
  }
  return *found;
}

SplatCloud ReadSplats(const std::filesystem::path& path) {
  const Format& format = FormatOfFile(path);
  if (format.read == nullptr) {
    throw UserError(
        path.string() + ": splats are written to ." + format.name +
            " files, but not read from them",
        "give a file that ends in " + Names(".", /*readable=*/true));
  }
  return format.read(ReadFile(path), path.string());
}

}  // namespace nerfpipe::splats
