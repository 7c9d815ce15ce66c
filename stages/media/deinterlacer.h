#pragma once

// Whole pictures from pairs of fields.

#include "stages/media/av.h"

#include <cstdint>
#include <memory>

namespace nerfpipe {

// bwdif of libavfilter. Gives back as many pictures as it gets, one later.
// Pictures that are not flagged as interlaced pass unchanged.
class Deinterlacer {
 public:
  // For pictures of the size and format of `first`.
  explicit Deinterlacer(const AVFrame& first);
  ~Deinterlacer();

  // Does it take pictures of this size and format?
  bool Takes(const AVFrame& picture) const;
  // Null: no more pictures come.
  void Put(AVFrame* picture);
  // False when it needs another picture, or has given its last.
  bool Get(AVFrame* picture);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nerfpipe
