#pragma once

// Features of all images, joined to tracks by their matches.

#include "stages/colmap/features/features.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace nerfpipe::sfm {

// A node is one feature of one image; tracks are known by their root, the
// smallest of their nodes.
class TrackForest {
 public:
  explicit TrackForest(const std::vector<Features>& features) {
    first_.push_back(0);
    for (const Features& of_image : features) {
      first_.push_back(first_.back() + of_image.Count());
    }
    parent_.resize(first_.back());
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  uint32_t Node(int image, uint32_t feature) const {
    return first_[image] + feature;
  }
  uint32_t Root(uint32_t node) {
    while (parent_[node] != node) {
      parent_[node] = parent_[parent_[node]];
      node = parent_[node];
    }
    return node;
  }
  void Join(uint32_t a, uint32_t b) {
    a = Root(a);
    b = Root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }
  size_t Nodes() const { return parent_.size(); }

 private:
  std::vector<uint32_t> first_;
  std::vector<uint32_t> parent_;
};

}  // namespace nerfpipe::sfm
