#include "stages/capture/frame_masks.h"

#include "pipeline/base/error.h"
#include "stages/capture/frame_views.h"
#include "stages/media/orientation.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace nerfpipe {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

std::string WithoutSuffix(const std::string& name) {
  const size_t slash = name.rfind('/');
  const size_t dot = name.rfind('.');
  const bool suffix =
      dot != std::string::npos && (slash == std::string::npos || dot > slash);
  return suffix ? name.substr(0, dot) : name;
}

// "a/name_mask" -> "a/name"; empty when it does not end so. Of lower case.
std::string WithoutEnding(const std::string& stem) {
  for (const char* ending : {"_mask", "-mask", ".mask"}) {
    if (stem.ends_with(ending)) return stem.substr(0, stem.size() - 5);
  }
  return "";
}

// "a/masks/b/name" -> "a/b/name"; with `neighbour` "a/*/b/name", where * stands
// for any one folder, as "a//b/name".
std::string OutOfMaskFolder(const std::string& name, bool neighbour) {
  for (const std::string folder : {"masks/", "mask/"}) {
    const size_t at = name.rfind("/" + folder);
    if (at != std::string::npos) {
      return name.substr(0, at + 1) + (neighbour ? "/" : "") +
             name.substr(at + 1 + folder.size());
    }
    if (name.starts_with(folder)) {
      return (neighbour ? "/" : "") + name.substr(folder.size());
    }
  }
  return name;
}

class PhotoIndex {
 public:
  explicit PhotoIndex(const std::vector<std::string>& photos) {
    for (size_t i = 0; i < photos.size(); ++i) {
      const std::string name = Lower(photos[i]);
      Add(name, i);
      Add(WithoutSuffix(name), i);
      // As OutOfMaskFolder() asks for neighbours: each folder may be *.
      for (size_t from = 0, slash = name.find('/'); slash != std::string::npos;
           from = slash + 1, slash = name.find('/', from)) {
        const std::string open = name.substr(0, from) + name.substr(slash);
        Add(open, i);
        Add(WithoutSuffix(open), i);
      }
    }
  }

  // Places of photos of this name, with or without suffix.
  std::vector<size_t> Find(const std::string& name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? std::vector<size_t>() : found->second;
  }
  std::vector<size_t> FindWithSuffix(
      const std::string& name, const std::vector<std::string>& photos) const {
    std::vector<size_t> found = Find(name);
    std::erase_if(found, [&](size_t i) { return Lower(photos[i]) != name; });
    return found;
  }

 private:
  void Add(const std::string& key, size_t i) {
    std::vector<size_t>& places = places_[key];
    if (places.empty() || places.back() != i) places.push_back(i);
  }

  std::map<std::string, std::vector<size_t>> places_;
};

// Which photos a picture in a folder of masks belongs to; none where several
// folders have one of this name.
std::vector<size_t> FindForFolder(const std::string& mask,
                                  const std::vector<std::string>& photos,
                                  const PhotoIndex& index) {
  const auto stem_of = [&](size_t i) {
    return WithoutSuffix(Lower(photos[i]));
  };
  for (const bool neighbour : {false, true}) {
    const std::string stem =
        OutOfMaskFolder(WithoutSuffix(Lower(mask)), neighbour);
    for (const std::string& name : {stem, WithoutEnding(stem)}) {
      if (name.empty()) continue;
      const std::vector<size_t> found = index.Find(name);
      if (found.empty()) continue;
      const bool one = std::all_of(found.begin(), found.end(), [&](size_t i) {
        return stem_of(i) == stem_of(found.front());
      });
      return one ? found : std::vector<size_t>();
    }
  }
  return {};
}

}  // namespace

PairedMasks PairMasks(const CaptureListing& listing) {
  PairedMasks paired;
  std::vector<std::pair<std::string, std::string>> marked;  // name, of what
  for (const std::string& name : listing.photos) {
    const std::string of = WithoutEnding(WithoutSuffix(Lower(name)));
    if (of.empty() || of.ends_with('/')) {
      paired.photos.push_back(name);
    } else {
      marked.emplace_back(name, of);
    }
  }
  if (paired.photos.empty()) {
    paired.photos = listing.photos;
    marked.clear();
  }
  // "a.jpg.png" beside "a.jpg".
  std::vector<std::string> photos;
  {
    const PhotoIndex all(paired.photos);
    for (const std::string& name : paired.photos) {
      const std::string of = WithoutSuffix(Lower(name));
      if (!HasImageSuffix(of) ||
          all.FindWithSuffix(of, paired.photos).empty()) {
        photos.push_back(name);
      } else {
        marked.emplace_back(name, of);
      }
    }
  }
  paired.photos = std::move(photos);
  paired.of_photo.resize(paired.photos.size());
  const PhotoIndex index(paired.photos);
  const auto give = [&](const std::string& mask,
                        const std::vector<size_t>& to) {
    if (to.empty()) paired.alone.push_back(mask);
    for (const size_t i : to) paired.of_photo[i] = mask;
  };
  for (const std::string& mask : listing.in_mask_folders) {
    give(mask, FindForFolder(mask, paired.photos, index));
  }
  for (const auto& [mask, of] : marked) give(mask, index.Find(of));
  return paired;
}

Image ReadFrameMask(const std::filesystem::path& path,
                    const ImageSize& upright,
                    int orientation) {
  const Image picture = ReadImage(path, /*keep_alpha=*/true);
  Image mask(picture.width, picture.height, 1);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    const uint8_t* pixel = &picture.pixels[i * picture.channels];
    const int alpha = picture.channels == 4 ? pixel[3] : 255;
    const int light = (pixel[0] + pixel[1] + pixel[2]) * alpha;
    mask.pixels[i] = light >= 3 * 128 * 255 ? 255 : 0;
  }
  const bool lies_otherwise =
      (mask.width > mask.height) != (upright.width > upright.height);
  if (OrientationSwapsSides(orientation) && lies_otherwise) {
    mask = ApplyOrientation(std::move(mask), orientation);
  }
  return Resized(mask, upright.width, upright.height, Resampling::kNearest);
}

Image MaskOfAlpha(const Image& rgba) {
  NERFPIPE_CHECK(rgba.channels == 4);
  Image mask(rgba.width, rgba.height, 1);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    mask.pixels[i] = rgba.pixels[4 * i + 3] >= 128 ? 255 : 0;
  }
  return mask;
}

void Intersect(const Image& other, Image* mask) {
  NERFPIPE_CHECK(other.pixels.size() == mask->pixels.size());
  for (size_t i = 0; i < mask->pixels.size(); ++i) {
    mask->pixels[i] = std::min(mask->pixels[i], other.pixels[i]);
  }
}

}  // namespace nerfpipe
