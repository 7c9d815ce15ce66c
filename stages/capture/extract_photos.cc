#include "stages/capture/extract_photos.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "pipeline/base/text.h"
#include "stages/media/image_file.h"
#include "stages/media/orientation.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Of a pixel: as decoded, as turned, and as a file.
constexpr double kBytesToTake = 8;

struct Listing {
  std::vector<fs::path> photos;
  size_t foreign = 0;
  size_t others = 0;
  std::vector<fs::path> subfolders_with_photos;
};

bool IsHidden(const fs::path& path) {
  return path.filename().string().front() == '.';
}

bool HoldsPhotos(const fs::path& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, error)) {
    if (HasImageSuffix(entry.path()) && !IsHidden(entry.path())) return true;
  }
  return false;
}

Listing List(const fs::path& folder) {
  Listing listing;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) {
    throw UserError("cannot read the folder '" + folder.string() + "' (" +
                        error.message() + ")",
                    "make it readable");
  }
  for (const fs::directory_entry& entry : entries) {
    const fs::path& path = entry.path();
    if (entry.is_directory(error)) {
      if (!IsHidden(path) && HoldsPhotos(path)) {
        listing.subfolders_with_photos.push_back(path);
      }
    } else if (IsHidden(path) || !entry.is_regular_file(error)) {
      ++listing.others;
    } else if (HasImageSuffix(path)) {
      listing.photos.push_back(path);
    } else if (HasForeignImageSuffix(path)) {
      ++listing.foreign;
    } else {
      ++listing.others;
    }
  }
  std::sort(listing.photos.begin(),
            listing.photos.end(),
            [](const fs::path& a, const fs::path& b) {
              return NaturalLess(a.filename().string(), b.filename().string());
            });
  return listing;
}

void RequirePhotos(const fs::path& folder, const Listing& listing) {
  if (!listing.photos.empty()) return;
  const std::string name = "'" + folder.string() + "'";
  if (listing.foreign > 0) {
    throw UserError(name + " holds no JPEG or PNG images, only " +
                        Counted(listing.foreign, "camera raw file"),
                    "convert them to JPEG first");
  }
  if (!listing.subfolders_with_photos.empty()) {
    const fs::path& first =
        *std::min_element(listing.subfolders_with_photos.begin(),
                          listing.subfolders_with_photos.end());
    throw UserError(
        name + " holds no images itself",
        "give one of its folders, such as '" + first.string() + "'");
  }
  throw UserError(name + " holds no images",
                  "give a folder of photos (.jpg or .png) or a video file");
}

// Photos that COLMAP and every data loader read as we do.
bool CanStayAsIs(const ImageHeader& header) {
  const bool jpeg = header.format == ImageHeader::Format::kJpeg;
  const bool png = header.format == ImageHeader::Format::kPng;
  return (jpeg || png) && header.orientation == 1 && header.bits == 8 &&
         (header.channels == 1 || header.channels == 3);
}

// A photo's size as stored and as shown.
struct Shape {
  int width = 0, height = 0;
  int orientation = 1;

  bool IsPortrait() const {
    return (height > width) != OrientationSwapsSides(orientation);
  }
};

Shape ShapeOf(const fs::path& photo) {
  try {
    const ImageHeader header = ReadImageHeader(photo);
    return {header.width, header.height, header.orientation};
  } catch (const UserError&) {
    return {};  // Take() will say so
  }
}

std::vector<Shape> ShapesOf(const std::vector<fs::path>& photos, int threads) {
  std::vector<Shape> shapes(photos.size());
  ParallelFor(static_cast<int64_t>(photos.size()), threads, [&](int64_t i) {
    shapes[static_cast<size_t>(i)] = ShapeOf(photos[static_cast<size_t>(i)]);
  });
  return shapes;
}

double MostPixels(const std::vector<Shape>& shapes) {
  double most = 1;
  for (const Shape& shape : shapes) {
    most = std::max(most, static_cast<double>(shape.width) * shape.height);
  }
  return most;
}

// All images are to share one camera, whose picture lies as the sensor does. So
// where some photos were taken with the camera held the other way, the fewer
// are turned back: for each photo the EXIF orientation to apply once it is
// upright, 1 for nothing. Only among photos of the same two sides: others have
// another lens or were cut.
std::vector<int> TurnsToOneShape(const std::vector<Shape>& shapes) {
  std::map<std::pair<int, int>, std::array<int, 2>> counts;
  const auto sides = [](const Shape& shape) {
    return std::minmax(shape.width, shape.height);
  };
  for (const Shape& shape : shapes) {
    const auto [shorter, longer] = sides(shape);
    if (shorter < longer) ++counts[{shorter, longer}][shape.IsPortrait()];
  }
  std::vector<int> turns(shapes.size(), 1);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const auto [shorter, longer] = sides(shapes[i]);
    if (shorter >= longer) continue;
    const auto [landscapes, portraits] = counts[{shorter, longer}];
    if (shapes[i].IsPortrait() == (portraits > landscapes)) continue;
    // Back to how it was stored, if EXIF turned it; else either way will do.
    switch (shapes[i].orientation) {
      case 5:
      case 7:
        turns[i] = shapes[i].orientation;
        break;
      case 8:
        turns[i] = 6;
        break;
      default:
        turns[i] = 8;
    }
  }
  return turns;
}

struct Taken {
  std::string suffix;
  bool as_is = false;
  double focal = 0;     // as ListedFrame has it
  std::string problem;  // why it was left out; empty when it was not
};

// `stem` is where it goes, without suffix; `turn` is as of TurnsToOneShape. A
// photo that cannot be read is a problem of that photo; one that cannot be
// written throws.
Taken Take(const fs::path& photo,
           int turn,
           const std::string& stem,
           int quality) {
  Taken taken;
  Image upright;
  try {
    const ImageHeader header = ReadImageHeader(photo);
    const bool png = header.format == ImageHeader::Format::kPng;
    taken.suffix = png ? ".png" : ".jpg";
    taken.focal = header.focal;
    taken.as_is = turn == 1 && CanStayAsIs(header);
    if (taken.as_is) {
      // Only to find damage: a small preview still reads every byte.
      ReadPreview(photo, 1);
    } else {
      upright = ApplyOrientation(ReadImage(photo), turn);
    }
  } catch (const UserError& error) {
    taken.problem = error.problem();
    return taken;
  }
  const fs::path to = stem + taken.suffix;
  if (!taken.as_is) {
    WriteImage(upright, to, quality);
    return taken;
  }
  std::error_code error;
  fs::copy_file(photo, to, error);
  if (error) {
    throw UserError(
        "cannot write '" + to.string() + "' (" + error.message() + ")",
        "free some space, or choose a folder you may write to");
  }
  // The copy of a read-only photo must not be read-only itself.
  fs::permissions(to, fs::perms::owner_write, fs::perm_options::add, error);
  return taken;
}

void TellAbout(const Listing& listing,
               const std::vector<Taken>& taken,
               Report& report) {
  if (listing.others > 0) {
    report.Info(Counted(listing.others, "file") +
                " in the folder skipped: hidden or not an image");
  }
  if (listing.foreign > 0) {
    report.Warn(Counted(listing.foreign, "camera raw file") +
                " skipped; convert them to JPEG to use them");
  }
  for (const Taken& photo : taken) {
    if (!photo.problem.empty()) report.Warn(photo.problem + "; left out");
  }
}

}  // namespace

bool NaturalLess(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto lower = [](char c) {
    return std::tolower(static_cast<unsigned char>(c));
  };
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      while (i < a.size() && a[i] == '0') ++i;
      while (j < b.size() && b[j] == '0') ++j;
      const size_t a_start = i;
      const size_t b_start = j;
      while (i < a.size() && is_digit(a[i])) ++i;
      while (j < b.size() && is_digit(b[j])) ++j;
      const std::string_view x = a.substr(a_start, i - a_start);
      const std::string_view y = b.substr(b_start, j - b_start);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (lower(a[i]) != lower(b[j])) return lower(a[i]) < lower(b[j]);
      ++i;
      ++j;
    }
  }
  if ((i < a.size()) != (j < b.size())) return j < b.size();
  return a < b;  // equal but for case and leading zeros
}

FrameList ExtractPhotos(const StageContext& context,
                        const ExtractOptions& options,
                        const std::filesystem::path& folder) {
  const fs::path& photos = context.capture;
  Report& report = *context.report;
  Listing listing = List(photos);
  if (listing.photos.empty() && listing.foreign == 0 &&
      listing.subfolders_with_photos.size() == 1) {
    const fs::path only = listing.subfolders_with_photos[0];
    report.Info("the images are in '" + only.string() + "'");
    listing = List(only);
  }
  RequirePhotos(photos, listing);
  const auto total = static_cast<int64_t>(listing.photos.size());
  const std::vector<Shape> shapes = ShapesOf(listing.photos, context.threads);
  const std::vector<int> turns = TurnsToOneShape(shapes);
  const int threads = context.ThreadsFor(kBytesToTake * MostPixels(shapes));
  std::vector<Taken> taken(listing.photos.size());
  {
    const std::unique_ptr<Progress> progress =
        report.Start("reading photos", total, "photos");
    std::atomic<int64_t> done = 0;
    ParallelFor(total, threads, [&](int64_t i) {
      ThrowIfInterrupted();
      const auto at = static_cast<size_t>(i);
      const std::string stem = (folder / FrameName(i + 1, total, "")).string();
      taken[at] =
          Take(listing.photos[at], turns[at], stem, options.jpeg_quality);
      progress->Update(++done);
    });
  }
  TellAbout(listing, taken, report);
  const auto turned = static_cast<size_t>(
      std::count_if(turns.begin(), turns.end(), [](int t) { return t != 1; }));
  if (turned > 0) {
    report.Info(Counted(turned, "photo") +
                " turned by a quarter, so that all lie as the sensor does");
  }

  FrameList list;
  list.source = photos.filename().empty()
                    ? photos.parent_path().filename().string()
                    : photos.filename().string();
  list.video = false;
  for (size_t i = 0; i < taken.size(); ++i) {
    if (!taken[i].problem.empty()) continue;
    ListedFrame frame;
    const auto number = static_cast<int64_t>(list.frames.size()) + 1;
    frame.name = FrameName(number, total, taken[i].suffix);
    frame.original = listing.photos[i].filename().string();
    frame.focal = taken[i].focal;
    const auto written = static_cast<int64_t>(i) + 1;
    if (written != number) {
      // Close the gap that a damaged photo left.
      fs::rename(folder / FrameName(written, total, taken[i].suffix),
                 folder / frame.name);
    }
    list.frames.push_back(std::move(frame));
  }
  if (list.frames.empty()) {
    throw UserError("none of the " + Counted(taken.size(), "image") + " in '" +
                        photos.string() + "' can be read (" +
                        taken.front().problem + ")",
                    "copy them from the camera again");
  }
  return list;
}

}  // namespace nerfpipe
