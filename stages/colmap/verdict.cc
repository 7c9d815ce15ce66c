#include "stages/colmap/verdict.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nerfpipe::sfm {
namespace {

constexpr char kAdvice[] =
    "move the camera sideways round the subject, slowly enough that "
    "neighbouring images overlap by two thirds, in good light, with textured "
    "things in view";

std::vector<std::string> Missing(const MappingResult& mapping,
                                 const std::vector<std::string>& names) {
  std::set<std::string> registered;
  if (mapping.chosen >= 0) {
    for (const auto& [id, image] : mapping.models[mapping.chosen].images) {
      registered.insert(image.name);
    }
  }
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    if (!registered.contains(name)) {
      missing.push_back(name);
    }
  }
  return missing;
}

std::string ShortList(const std::vector<std::string>& names) {
  constexpr size_t kShown = 10;
  const size_t shown = std::min(names.size(), kShown);
  std::string list =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (names.size() > shown) {
    list += fmt::format(" and {} more", names.size() - shown);
  }
  return list;
}

StageResult TooFewRegistered(const MappingResult& mapping,
                             size_t registered,
                             const std::vector<std::string>& names,
                             const std::vector<std::string>& missing) {
  std::vector<std::string> account;
  for (size_t i = 0; i < mapping.models.size(); ++i) {
    account.push_back(fmt::format("model {}: {} images, {} points",
                                  i,
                                  mapping.models[i].images.size(),
                                  mapping.models[i].points.size()));
  }
  account.push_back(fmt::format("not placed: {}", fmt::join(missing, ", ")));
  return StageResult::Failed(
      fmt::format("only {} of {} images could be placed in one scene; {}",
                  registered,
                  names.size(),
                  kAdvice),
      std::move(account));
}

double Rounded(double value) { return std::round(value * 1e4) / 1e4; }

}  // namespace

StageResult TooFewFrames(size_t kept) {
  return StageResult::Failed(
      fmt::format("{} frames are kept, at least {} are needed; take more "
                  "frames (extract.count, extract.every) or a longer capture",
                  kept,
                  kMinImages));
}

StageResult ImplausibleLens(const std::string& camera_model) {
  return StageResult::Failed(fmt::format(
      "the lens distortion that came out (camera model {}) leaves no "
      "rectangle to cut out; try --set colmap.camera_model=SIMPLE_RADIAL",
      camera_model));
}

std::optional<StageResult> JudgeMatches(const std::vector<MatchedPair>& pairs,
                                        const std::vector<Features>& features,
                                        int width,
                                        int height) {
  // Of the image diagonal. A slow pan or a small step sideways is ten times
  // as much over a whole clip.
  constexpr double kStill = 0.003;
  bool related = false;
  double farthest = 0;
  for (const MatchedPair& pair : pairs) {
    related |= !pair.geometry.inliers.empty();
    farthest = std::max(
        farthest,
        MedianMotion(pair, features[pair.first], features[pair.second]));
  }
  if (!related) {
    return StageResult::Failed(fmt::format(
        "no two images show the same things recognisably; {}", kAdvice));
  }
  if (farthest < kStill * std::hypot(width, height)) {
    return StageResult::Failed(
        fmt::format("the camera stands still (the picture moves by {:.1f} "
                    "pixels at most); walk round the subject while filming",
                    farthest));
  }
  return std::nullopt;
}

StageResult JudgeMapping(const MappingResult& mapping,
                         const std::vector<std::string>& names,
                         Report* report) {
  const std::vector<std::string> missing = Missing(mapping, names);
  const size_t registered = names.size() - missing.size();
  const double share = static_cast<double>(registered) / names.size();
  if (registered < kMinImages || share < 0.5) {
    return TooFewRegistered(mapping, registered, names, missing);
  }
  if (share < 0.9) {
    report->Warn(fmt::format(
        "{} of {} images could not be placed, so parts of the scene may be "
        "missing: {}; more overlap or more frames (extract.count) help",
        missing.size(),
        names.size(),
        ShortList(missing)));
  } else if (!missing.empty()) {
    report->Info(fmt::format("not placed: {}", ShortList(missing)));
  }
  const size_t points = mapping.models[mapping.chosen].points.size();
  StageResult result =
      StageResult::Done(fmt::format("{} of {} images, {} "
                                    "points, {:.2f} px",
                                    registered,
                                    names.size(),
                                    points,
                                    mapping.mean_error));
  result.facts["frames"]["registered"] = registered;
  result.facts["reconstruction"] = {
      {"models", mapping.models.size()},
      {"points", points},
      {"mean_reprojection_error_px", Rounded(mapping.mean_error)},
      {"registered_share", Rounded(share)},
      {"unregistered", missing}};
  return result;
}

}  // namespace nerfpipe::sfm
