#include "stages/common/scene_transform_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

using Json = nlohmann::ordered_json;

bool IsSimilarity(const SceneTransform& transform) {
  constexpr double kTolerance = 1e-6;
  const std::array<double, 12>& m = transform.exported_from_world;
  if (!(transform.scale > 0)) return false;
  const Vec3 x = {m[0], m[1], m[2]};
  const Vec3 y = {m[4], m[5], m[6]};
  const Vec3 z = {m[8], m[9], m[10]};
  const double square = transform.scale * transform.scale;
  const auto near = [&](double a, double b) {
    return std::abs(a - b) <= kTolerance * square;
  };
  return near(Dot(x, x), square) && near(Dot(y, y), square) &&
         near(Dot(z, z), square) && near(Dot(x, y), 0) && near(Dot(y, z), 0) &&
         near(Dot(z, x), 0) && Dot(Cross(x, y), z) > 0;
}

}  // namespace

std::string SceneTransformJson(const SceneTransform& transform) {
  const std::array<double, 12>& m = transform.exported_from_world;
  Json rows = Json::array();
  for (int row = 0; row < 3; ++row) {
    rows.push_back(
        {m[4 * row], m[4 * row + 1], m[4 * row + 2], m[4 * row + 3]});
  }
  rows.push_back({0, 0, 0, 1});
  const Json root = {{"axes", "right-handed: x right, y up, z to the viewer"},
                     {"unit", "arbitrary"},
                     {"scale", transform.scale},
                     {"exported_from_sparse", rows}};
  return root.dump(1) + "\n";
}

SceneTransform ReadSceneTransform(const std::filesystem::path& path) {
  SceneTransform transform;
  bool sound = false;
  try {
    const Json root = Json::parse(ReadFile(path));
    const Json& rows = root.at("exported_from_sparse");
    transform.scale = root.at("scale").get<double>();
    for (int i = 0; i < 12; ++i) {
      transform.exported_from_world[i] = rows.at(i / 4).at(i % 4).get<double>();
    }
    sound = IsSimilarity(transform);
  } catch (const Json::exception&) {
    // Told below.
  }
  if (!sound) {
    throw UserError(
        path.string() + " is not a rotation, a scale and a shift of a scene",
        "run the poses stage again");
  }
  return transform;
}

}  // namespace nerfpipe
