#include "stages/colmap/verdict.h"

#include "pipeline/base/median.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <Eigen/LU>
#include <Eigen/SVD>
#include <colmap/scene/two_view_geometry.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nerfpipe::sfm {
namespace {

constexpr char kAdvice[] =
    "move the camera sideways round the subject, slowly enough that "
    "neighbouring images overlap by two thirds, in good light, with textured "
    "things in view";

using Names = std::set<std::string>;

Names NamesIn(const ColmapModel& model) {
  Names names;
  for (const auto& [id, image] : model.images) names.insert(image.name);
  return names;
}

struct LeftOut {
  std::string name;
  std::string reason;
};

// Why an image that is in no model, or in a smaller one, is not registered.
class Reasons {
 public:
  Reasons(const MappingResult& mapping,
          const std::vector<std::string>& names,
          const std::vector<MatchedPair>& pairs,
          const CaptureFile& capture)
      : mapping_(mapping) {
    for (const CaptureFrame& frame : capture.frames) {
      sharpness_[frame.name] = frame.relative_sharpness;
    }
    for (const MatchedPair& pair : pairs) {
      const auto inliers = static_cast<int>(pair.geometry.inliers.size());
      for (const int image : {pair.first, pair.second}) {
        int& most = matches_[names[static_cast<size_t>(image)]];
        most = std::max(most, inliers);
      }
    }
    for (const ColmapModel& model : mapping.models) {
      members_.push_back(NamesIn(model));
    }
  }

  std::string Of(const std::string& name) const {
    constexpr double kBlurred = 0.6;
    constexpr int kFew = 30;
    const auto& strays = mapping_.strays;
    if (std::find(strays.begin(), strays.end(), name) != strays.end()) {
      return "its camera came out far from its neighbours' path";
    }
    const auto& weak = mapping_.weak;
    if (std::find(weak.begin(), weak.end(), name) != weak.end()) {
      return "too few points hold its camera";
    }
    for (size_t i = 0; i < members_.size(); ++i) {
      if (static_cast<int>(i) == mapping_.chosen) continue;
      if (members_[i].contains(name)) {
        return fmt::format("in a part of its own (colmap/sparse/{})", i);
      }
    }
    const int most = matches_.contains(name) ? matches_.at(name) : 0;
    if (sharpness_.at(name) < kBlurred) {
      return fmt::format("blurred (sharpness {:.0f} % of its neighbours')",
                         100 * sharpness_.at(name));
    }
    if (most == 0) return "no other image shows the same things";
    if (most < kFew) {
      return fmt::format("too few matches ({} with the best other image)",
                         most);
    }
    return "its matches fit no place among the other cameras";
  }

 private:
  const MappingResult& mapping_;
  std::map<std::string, double> sharpness_;
  std::map<std::string, int> matches_;  // with the best other image
  std::vector<Names> members_;
};

std::vector<LeftOut> Missing(const MappingResult& mapping,
                             const std::vector<std::string>& names,
                             const std::vector<MatchedPair>& pairs,
                             const CaptureFile& capture) {
  const Names registered =
      mapping.chosen < 0 ? Names() : NamesIn(mapping.models[mapping.chosen]);
  const Reasons reasons(mapping, names, pairs, capture);
  std::vector<LeftOut> missing;
  for (const std::string& name : capture.KeptNames()) {
    if (!registered.contains(name)) missing.push_back({name, reasons.Of(name)});
  }
  return missing;
}

// "00001.jpg to 00048.jpg" and the like, of names in the order of the capture.
std::string Stretches(const ColmapModel& model,
                      const std::vector<std::string>& names) {
  const Names members = NamesIn(model);
  std::vector<std::string> stretches;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!members.contains(names[i])) continue;
    size_t last = i;
    while (last + 1 < names.size() && members.contains(names[last + 1])) {
      ++last;
    }
    stretches.push_back(
        last == i ? names[i] : fmt::format("{} to {}", names[i], names[last]));
    i = last;
  }
  constexpr size_t kShown = 4;
  const size_t shown = std::min(stretches.size(), kShown);
  return fmt::format(
      "{}{}",
      fmt::join(stretches.begin(), stretches.begin() + shown, ", "),
      stretches.size() > shown ? ", ..." : "");
}

std::string ShortList(const std::vector<LeftOut>& missing) {
  constexpr size_t kShown = 5;
  const size_t shown = std::min(missing.size(), kShown);
  std::vector<std::string> items;
  for (size_t i = 0; i < shown; ++i) {
    items.push_back(missing[i].name + ": " + missing[i].reason);
  }
  std::string list = fmt::format("{}", fmt::join(items, "; "));
  if (missing.size() > shown) {
    list += fmt::format("; and {} more", missing.size() - shown);
  }
  return list;
}

StageResult TooFewRegistered(const MappingResult& mapping,
                             const std::vector<std::string>& names,
                             const std::vector<LeftOut>& missing) {
  std::vector<std::string> account;
  size_t parts = 0;
  for (size_t i = 0; i < mapping.models.size(); ++i) {
    const ColmapModel& model = mapping.models[i];
    parts += model.images.size() >= kMinImages;
    account.push_back(fmt::format("model {}: {} images, {} points: {}",
                                  i,
                                  model.images.size(),
                                  model.points.size(),
                                  Stretches(model, names)));
  }
  for (const LeftOut& image : missing) {
    account.push_back(image.name + ": " + image.reason);
  }
  const size_t registered = names.size() - missing.size();
  if (parts > 1) {
    return StageResult::Failed(
        fmt::format("the capture falls into {} parts that share no view, of "
                    "which the largest has {} of {} images; film in one go, "
                    "or run the parts as captures of their own",
                    parts,
                    registered,
                    names.size()),
        std::move(account));
  }
  return StageResult::Failed(
      fmt::format("only {} of {} images could be registered in one scene; {}",
                  registered,
                  names.size(),
                  kAdvice),
      std::move(account));
}

// How far `homography` (pixels) is from a rotation of a camera with this focal
// length, whose singular values are equal: the largest over the smallest.
double Distortion(const Eigen::Matrix3d& homography,
                  double focal,
                  int width,
                  int height) {
  Eigen::Matrix3d k;
  k << focal, 0, width / 2.0, 0, focal, height / 2.0, 0, 0, 1;
  const Eigen::Vector3d values =
      Eigen::JacobiSVD<Eigen::Matrix3d>(k.inverse() * homography * k)
          .singularValues();
  return values[0] / values[2];
}

// All views of a camera that only turns are related by homographies, and these
// are rotations for one focal length. So are, nearly, those of a plane that is
// passed at a great distance.
bool TurnsOnTheSpot(const std::vector<MatchedPair>& pairs,
                    const std::vector<Features>& features,
                    int width,
                    int height) {
  constexpr size_t kFewestInliers = 30;
  constexpr double kMoves = 0.02;     // of the diagonal
  constexpr double kMostPairs = 0.9;  // that a homography explains
  constexpr double kRotation = 1.02;
  std::vector<Eigen::Matrix3d> homographies;
  size_t asked = 0;
  for (const MatchedPair& pair : pairs) {
    if (pair.geometry.inliers.size() < kFewestInliers ||
        MedianMotion(pair, features[pair.first], features[pair.second]) <
            kMoves * std::hypot(width, height)) {
      continue;
    }
    ++asked;
    if (pair.geometry.config ==
        colmap::TwoViewGeometry::ConfigurationType::PLANAR_OR_PANORAMIC) {
      homographies.push_back(pair.geometry.homography);
    }
  }
  if (asked == 0 || static_cast<double>(homographies.size()) <
                        kMostPairs * static_cast<double>(asked)) {
    return false;
  }
  for (double share = 0.5; share < 3; share *= 1.05) {
    std::vector<double> found;
    for (const Eigen::Matrix3d& homography : homographies) {
      found.push_back(Distortion(
          homography, share * std::max(width, height), width, height));
    }
    if (UpperMedian(std::move(found)) < kRotation) return true;
  }
  return false;
}

double Rounded(double value) { return std::round(value * 1e4) / 1e4; }

}  // namespace

StageResult TooFewFrames(size_t kept) {
  return StageResult::Failed(
      fmt::format("{} kept, at least {} are needed; take more frames "
                  "(extract.target, extract.every) or a longer capture",
                  kept == 1 ? "1 frame is" : fmt::format("{} frames are", kept),
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
  if (TurnsOnTheSpot(pairs, features, width, height)) {
    return StageResult::Failed(
        "the camera turns on the spot: from one place there is no depth to be "
        "seen; walk sideways round the subject while filming");
  }
  return std::nullopt;
}

StageResult JudgeMapping(const MappingResult& mapping,
                         const std::vector<std::string>& names,
                         const std::vector<MatchedPair>& pairs,
                         const CaptureFile& capture,
                         Report* report) {
  const std::vector<std::string> kept = capture.KeptNames();
  const std::vector<LeftOut> missing = Missing(mapping, names, pairs, capture);
  const size_t registered = kept.size() - missing.size();
  const double share = static_cast<double>(registered) / kept.size();
  if (registered < kMinImages || share < 0.5) {
    return TooFewRegistered(mapping, kept, missing);
  }
  if (share < 0.9) {
    report->Warn(fmt::format(
        "{} of {} images could not be registered, so parts of the scene may be "
        "missing; more overlap or more frames (extract.target) help",
        missing.size(),
        kept.size()));
  }
  if (!missing.empty()) {
    report->Info("not registered: " + ShortList(missing));
  }
  for (const LeftOut& image : missing) {
    report->Detail(image.name + ": " + image.reason);
  }
  nlohmann::ordered_json unregistered = nlohmann::ordered_json::object();
  for (const LeftOut& image : missing) {
    unregistered[image.name] = image.reason;
  }
  const ColmapModel& chosen = mapping.models[mapping.chosen];
  const size_t points = chosen.points.size();
  const size_t added = chosen.images.size() - registered;
  StageResult result = StageResult::Done(
      fmt::format("{} of {} images{}, {} points, {:.2f} px",
                  registered,
                  kept.size(),
                  added > 0 ? fmt::format(" and {} between them", added) : "",
                  points,
                  mapping.mean_error));
  result.facts["frames"]["registered"] = registered;
  if (added > 0) result.facts["frames"]["added"] = added;
  result.facts["reconstruction"] = {
      {"models", mapping.models.size()},
      {"points", points},
      {"mean_reprojection_error_px", Rounded(mapping.mean_error)},
      {"registered_share", Rounded(share)},
      {"unregistered", unregistered}};
  return result;
}

}  // namespace nerfpipe::sfm
