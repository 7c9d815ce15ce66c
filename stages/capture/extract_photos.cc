#include "stages/capture/extract_photos.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

std::string Count(size_t count, const std::string& unit) {
  return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
}

struct Listing {
  std::vector<fs::path> photos;
  size_t foreign = 0;
  size_t others = 0;
  fs::path subfolder_with_photos;
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
      const bool first = listing.subfolder_with_photos.empty() ||
                         path < listing.subfolder_with_photos;
      if (first && !IsHidden(path) && HoldsPhotos(path)) {
        listing.subfolder_with_photos = path;
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
                        Count(listing.foreign, "HEIC or camera raw file"),
                    "convert them to JPEG first (heif-convert does it for "
                    "HEIC, and phones can export JPEG)");
  }
  if (!listing.subfolder_with_photos.empty()) {
    throw UserError(name + " holds no images itself",
                    "give the folder '" +
                        listing.subfolder_with_photos.string() + "' instead");
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

struct Taken {
  std::string suffix;
  bool as_is = false;
  std::string problem;  // why it was left out; empty when it was not
};

// `stem` is where it goes, without suffix. A photo that cannot be read is a
// problem of that photo; one that cannot be written throws.
Taken Take(const fs::path& photo, const std::string& stem, int quality) {
  Taken taken;
  Image upright;
  try {
    const ImageHeader header = ReadImageHeader(photo);
    const bool png = header.format == ImageHeader::Format::kPng;
    taken.suffix = png ? ".png" : ".jpg";
    taken.as_is = CanStayAsIs(header);
    if (taken.as_is) {
      // Only to find damage: a small preview still reads every byte.
      ReadGrayPreview(photo, 1);
    } else {
      upright = ReadImage(photo);
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
    report.Info(Count(listing.others, "file") +
                " in the folder skipped: hidden or not an image");
  }
  if (listing.foreign > 0) {
    report.Warn(Count(listing.foreign, "HEIC or camera raw file") +
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

FrameList ExtractPhotos(const std::filesystem::path& photos,
                        const ExtractOptions& options,
                        int threads,
                        const std::filesystem::path& folder,
                        Report& report) {
  const Listing listing = List(photos);
  RequirePhotos(photos, listing);
  const auto total = static_cast<int64_t>(listing.photos.size());
  std::vector<Taken> taken(listing.photos.size());
  {
    const std::unique_ptr<Progress> progress =
        report.Start("reading photos", total, "photos");
    std::atomic<int64_t> done = 0;
    ParallelFor(total, threads, [&](int64_t i) {
      ThrowIfInterrupted();
      const auto at = static_cast<size_t>(i);
      const std::string stem = (folder / FrameName(i + 1, total, "")).string();
      taken[at] = Take(listing.photos[at], stem, options.jpeg_quality);
      progress->Update(++done);
    });
  }
  TellAbout(listing, taken, report);

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
    const auto written = static_cast<int64_t>(i) + 1;
    if (written != number) {
      // Close the gap that a damaged photo left.
      fs::rename(folder / FrameName(written, total, taken[i].suffix),
                 folder / frame.name);
    }
    list.frames.push_back(std::move(frame));
  }
  if (list.frames.empty()) {
    throw UserError("none of the " + Count(taken.size(), "image") + " in '" +
                        photos.string() + "' can be read (" +
                        taken.front().problem + ")",
                    "copy them from the camera again");
  }
  return list;
}

}  // namespace nerfpipe
