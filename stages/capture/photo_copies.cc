#include "stages/capture/photo_copies.h"

#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/capture/frame_views.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr int kFields = 8;

// Equal digests are equal files; an empty one equals nothing.
std::vector<int> ByDigest(const std::vector<std::string>& names,
                          const std::vector<std::string>& digests) {
  std::map<std::string, size_t> firsts;
  for (size_t i = 0; i < names.size(); ++i) {
    if (digests[i].empty()) continue;
    const auto [first, is_new] = firsts.try_emplace(digests[i], i);
    if (!is_new && names[i].size() < names[first->second].size()) {
      first->second = i;
    }
  }
  std::vector<int> copy_of(names.size(), -1);
  for (size_t i = 0; i < names.size(); ++i) {
    if (digests[i].empty()) continue;
    const size_t first = firsts.at(digests[i]);
    if (first != i) copy_of[i] = static_cast<int>(first);
  }
  return copy_of;
}

// digest(i) of those that are marked, empty for the others.
std::vector<std::string> DigestsOf(
    const std::vector<char>& marked,
    int threads,
    const std::function<std::string(size_t)>& digest) {
  std::vector<std::string> digests(marked.size());
  ParallelFor(static_cast<int64_t>(marked.size()), threads, [&](int64_t i) {
    ThrowIfInterrupted();
    const auto at = static_cast<size_t>(i);
    if (marked[at]) digests[at] = digest(at);
  });
  return digests;
}

std::string DigestOfPixels(const fs::path& path) {
  const Image image = ReadImage(path, /*keep_alpha=*/true);
  const std::string_view pixels(
      reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size());
  return DigestBuilder()
      .Add(std::to_string(image.width))
      .Add(std::to_string(image.channels))
      .Add(pixels)
      .Finish();
}

bool Resemble(const PictureGist& a, const PictureGist& b) {
  // What rounding makes of it, at another size.
  constexpr float kMost = 4;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::abs(a[i] - b[i]) > kMost) return false;
  }
  return true;
}

}  // namespace

PictureGist GistOf(const Image& picture) {
  NERFPIPE_CHECK(picture.channels >= 3);
  const Image small = Resized(picture, kFields, kFields, Resampling::kSmooth);
  PictureGist gist = {};
  for (int i = 0; i < kFields * kFields; ++i) {
    for (int c = 0; c < 3; ++c) {
      gist[3 * i + c] = small.pixels[small.channels * i + c];
    }
  }
  return gist;
}

std::vector<int> CopiesByBytes(const fs::path& folder,
                               const std::vector<std::string>& names,
                               int threads) {
  std::map<uintmax_t, int> counts;
  std::vector<uintmax_t> sizes;
  for (const std::string& name : names) {
    std::error_code error;
    const uintmax_t size = fs::file_size(folder / name, error);
    sizes.push_back(error ? 0 : size);
    ++counts[sizes.back()];
  }
  std::vector<char> marked;
  for (const uintmax_t size : sizes) {
    marked.push_back(size > 0 && counts[size] > 1 ? 1 : 0);
  }
  return ByDigest(names, DigestsOf(marked, threads, [&](size_t i) {
                    return DigestOfFile(folder / names[i]);
                  }));
}

std::vector<int> CopiesByPixels(const fs::path& folder,
                                const std::vector<std::string>& names,
                                const std::vector<PictureGist>& gists,
                                int threads) {
  std::vector<char> marked(names.size(), 0);
  for (size_t i = 0; i < names.size(); ++i) {
    for (size_t j = i + 1; j < names.size(); ++j) {
      if (names[i].empty() || names[j].empty()) continue;
      if (Resemble(gists[i], gists[j])) marked[i] = marked[j] = 1;
    }
  }
  return ByDigest(names, DigestsOf(marked, threads, [&](size_t i) {
                    return DigestOfPixels(folder / names[i]);
                  }));
}

}  // namespace nerfpipe
