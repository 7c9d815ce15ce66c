#include "stages/colmap/matching/two_view.h"

#include "pipeline/base/median.h"
#include "stages/colmap/features/byte_stream.h"
#include "stages/colmap/matching/colmap_types.h"

#include <cmath>
#include <utility>

#include <colmap/estimators/two_view_geometry.h>
#include <colmap/math/random.h>

namespace nerfpipe::sfm {
namespace {

constexpr uint32_t kPairsMagic = 0x3150464e;  // "NFP1"

std::vector<Eigen::Vector2d> Positions(const Features& features) {
  std::vector<Eigen::Vector2d> positions;
  positions.reserve(features.keypoints.size());
  for (const Keypoint& k : features.keypoints) {
    positions.emplace_back(k.x, k.y);
  }
  return positions;
}

void PutMatrix(const Eigen::Matrix3d& matrix, ByteWriter* writer) {
  for (int i = 0; i < 9; ++i) {
    writer->Put(matrix.data()[i]);
  }
}

bool GetMatrix(ByteReader* reader, Eigen::Matrix3d* matrix) {
  for (int i = 0; i < 9; ++i) {
    if (!reader->Get(matrix->data() + i)) {
      return false;
    }
  }
  return true;
}

bool GetPair(ByteReader* reader, MatchedPair* pair) {
  return reader->Get(&pair->first) && reader->Get(&pair->second) &&
         reader->GetVector(&pair->matches) &&
         reader->Get(&pair->geometry.config) &&
         GetMatrix(reader, &pair->geometry.essential) &&
         GetMatrix(reader, &pair->geometry.fundamental) &&
         GetMatrix(reader, &pair->geometry.homography) &&
         reader->GetVector(&pair->geometry.inliers);
}

}  // namespace

TwoView VerifyMatches(const CameraPrior& first_camera,
                      const CameraPrior& second_camera,
                      const Features& first,
                      const Features& second,
                      const std::vector<FeatureMatch>& matches,
                      uint32_t seed) {
  colmap::TwoViewGeometryOptions options;
  colmap::SetPRNGSeed(seed);
  const colmap::TwoViewGeometry found =
      colmap::EstimateTwoViewGeometry(ToColmap(first_camera),
                                      Positions(first),
                                      ToColmap(second_camera),
                                      Positions(second),
                                      ToColmap(matches),
                                      options);
  TwoView geometry;
  geometry.config = found.config;
  geometry.essential = found.E;
  geometry.fundamental = found.F;
  geometry.homography = found.H;
  geometry.inliers.reserve(found.inlier_matches.size());
  for (const colmap::FeatureMatch& m : found.inlier_matches) {
    geometry.inliers.push_back({m.point2D_idx1, m.point2D_idx2});
  }
  return geometry;
}

double MedianMotion(const MatchedPair& pair,
                    const Features& first,
                    const Features& second) {
  std::vector<double> lengths;
  lengths.reserve(pair.geometry.inliers.size());
  for (const FeatureMatch& m : pair.geometry.inliers) {
    const Keypoint& a = first.keypoints[m.first];
    const Keypoint& b = second.keypoints[m.second];
    lengths.push_back(std::hypot(a.x - b.x, a.y - b.y));
  }
  return lengths.empty() ? 0 : UpperMedian(std::move(lengths));
}

std::string SerializePairs(const std::vector<MatchedPair>& pairs) {
  ByteWriter writer;
  writer.Put(kPairsMagic);
  writer.Put(static_cast<uint64_t>(pairs.size()));
  for (const MatchedPair& pair : pairs) {
    writer.Put(pair.first);
    writer.Put(pair.second);
    writer.PutVector(pair.matches);
    writer.Put(pair.geometry.config);
    PutMatrix(pair.geometry.essential, &writer);
    PutMatrix(pair.geometry.fundamental, &writer);
    PutMatrix(pair.geometry.homography, &writer);
    writer.PutVector(pair.geometry.inliers);
  }
  return std::move(writer).Finish();
}

std::optional<std::vector<MatchedPair>> ParsePairs(std::string_view bytes) {
  ByteReader reader(bytes);
  uint32_t magic = 0;
  uint64_t count = 0;
  if (!reader.Get(&magic) || magic != kPairsMagic || !reader.Get(&count)) {
    return std::nullopt;
  }
  std::vector<MatchedPair> pairs;
  for (uint64_t i = 0; i < count; ++i) {
    MatchedPair pair;
    if (!GetPair(&reader, &pair)) {
      return std::nullopt;
    }
    pairs.push_back(std::move(pair));
  }
  if (!reader.AtEnd()) {
    return std::nullopt;
  }
  return pairs;
}

}  // namespace nerfpipe::sfm
