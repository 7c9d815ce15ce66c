#include "stages/capture/extract_photos.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "pipeline/base/text.h"
#include "stages/capture/frame_layout.h"
#include "stages/capture/frame_masks.h"
#include "stages/capture/frame_names.h"
#include "stages/capture/frame_views.h"
#include "stages/capture/photo_copies.h"
#include "stages/capture/photo_turns.h"
#include "stages/capture/take_photo.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Of a pixel: as decoded, as turned, and as a file.
constexpr double kBytesToTake = 8;

PhotoShape ShapeOf(const fs::path& photo) {
  try {
    const ImageHeader header = ReadImageHeader(photo);
    return {header.width, header.height, header.orientation};
  } catch (const MachineError&) {
    throw;
  } catch (const UserError&) {
    return {};  // TakePhoto() will say so
  }
}

std::vector<PhotoShape> ShapesOf(const fs::path& folder,
                                 const std::vector<std::string>& photos,
                                 int threads) {
  std::vector<PhotoShape> shapes(photos.size());
  ParallelFor(static_cast<int64_t>(photos.size()), threads, [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    shapes[at] = ShapeOf(folder / photos[at]);
  });
  return shapes;
}

double MostPixels(const std::vector<PhotoShape>& shapes) {
  double most = 1;
  for (const PhotoShape& shape : shapes) {
    most = std::max(most, static_cast<double>(shape.width) * shape.height);
  }
  return most;
}

Image GrayPreview(const fs::path& photo) {
  constexpr int kSide = 640;
  const Image picture = ReadPreview(photo, kSide);
  Image gray(picture.width, picture.height, 1);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    const uint8_t* pixel = &picture.pixels[3 * i];
    gray.pixels[i] =
        static_cast<uint8_t>((pixel[0] + 2 * pixel[1] + pixel[2] + 2) / 4);
  }
  const double scale =
      static_cast<double>(kSide) / std::max(gray.width, gray.height);
  if (scale >= 1) return gray;
  const auto side = [&](int length) {
    return std::max(2, static_cast<int>(scale * length / 2) * 2);
  };
  return Resized(
      gray, side(gray.width), side(gray.height), Resampling::kSmooth);
}

// Some of the photos, from the first to the last.
std::vector<Image> SamplesOf(const fs::path& folder,
                             const std::vector<std::string>& photos,
                             const std::vector<size_t>& places,
                             int threads) {
  constexpr size_t kMost = 9;
  const size_t count = std::min(kMost, places.size());
  std::vector<Image> samples(count);
  ParallelFor(static_cast<int64_t>(count), threads, [&](int64_t i) {
    ThrowIfInterrupted();
    const auto at = static_cast<size_t>(i);
    try {
      samples[at] =
          GrayPreview(folder / photos[places[at * places.size() / count]]);
    } catch (const MachineError&) {
      throw;
    } catch (const UserError&) {
      // TakePhoto() will say so.
    }
  });
  std::erase_if(samples, [](const Image& image) { return image.width == 0; });
  return samples;
}

// Photos of one size are of one camera.
std::vector<FrameLayout> LayoutsOf(const fs::path& folder,
                                   const std::vector<std::string>& photos,
                                   const std::vector<PhotoShape>& shapes,
                                   const std::string& wanted,
                                   int threads) {
  std::vector<FrameLayout> layouts(photos.size());
  std::map<std::pair<int, int>, std::vector<size_t>> places;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const ImageSize size = shapes[i].Upright();
    if (size.width > 0) places[{size.width, size.height}].push_back(i);
  }
  for (const auto& [size, of_size] : places) {
    constexpr size_t kFewest = 3;
    if (wanted == "plain" || (wanted == "auto" && of_size.size() < kFewest)) {
      continue;
    }
    const FrameLayout layout =
        FindLayout(SamplesOf(folder, photos, of_size, threads),
                   {size.first, size.second},
                   wanted);
    for (const size_t i : of_size) layouts[i] = layout;
  }
  return layouts;
}

void TellAboutLayouts(const std::vector<FrameLayout>& layouts, Report& report) {
  std::map<std::string, int64_t> counts;
  for (const FrameLayout& layout : layouts) {
    if (!layout.IsPlain()) ++counts[WordsFor(layout)];
  }
  for (const auto& [words, count] : counts) {
    report.Info(Counted(count, "photo") + (count == 1 ? " is " : " are each ") +
                words);
  }
}

void TellAboutCopies(const std::vector<std::string>& names,
                     const std::vector<int>& copy_of,
                     Report& report) {
  const auto is_copy = [](int of) { return of >= 0; };
  const auto count = std::count_if(copy_of.begin(), copy_of.end(), is_copy);
  if (count == 0) return;
  const auto first = static_cast<size_t>(
      std::find_if(copy_of.begin(), copy_of.end(), is_copy) - copy_of.begin());
  report.Info(Counted(count, "photo") + " left out: copies of others, as '" +
              names[first] + "' is of '" +
              names[static_cast<size_t>(copy_of[first])] + "'");
}

// Without those that are in the folder twice.
void LeaveOutCopies(const StageContext& context, PairedMasks* paired) {
  const std::vector<int> copy_of =
      CopiesByBytes(context.capture, paired->photos, context.threads);
  TellAboutCopies(paired->photos, copy_of, *context.report);
  PairedMasks kept;
  for (size_t i = 0; i < copy_of.size(); ++i) {
    if (copy_of[i] >= 0) continue;
    kept.photos.push_back(paired->photos[i]);
    kept.of_photo.push_back(paired->of_photo[i]);
  }
  // A mask may stand beside the copy alone.
  std::map<std::string, std::string> lent;
  for (size_t i = 0; i < copy_of.size(); ++i) {
    if (copy_of[i] < 0 || paired->of_photo[i].empty()) continue;
    lent.try_emplace(paired->photos[static_cast<size_t>(copy_of[i])],
                     paired->of_photo[i]);
  }
  for (size_t i = 0; i < kept.photos.size(); ++i) {
    const auto mask = lent.find(kept.photos[i]);
    if (kept.of_photo[i].empty() && mask != lent.end()) {
      kept.of_photo[i] = mask->second;
    }
  }
  kept.alone = paired->alone;
  *paired = std::move(kept);
}

void TellAboutMasks(const std::vector<TakenPhoto>& taken,
                    const PairedMasks& paired,
                    Report& report) {
  int64_t masks = 0;
  int64_t without = 0;
  int64_t transparent = 0;
  for (size_t i = 0; i < taken.size(); ++i) {
    if (!taken[i].problem.empty()) continue;
    const bool has = !paired.of_photo[i].empty();
    ++(has && taken[i].mask_problem.empty() ? masks : without);
    if (taken[i].transparent) ++transparent;
    if (!taken[i].mask_problem.empty()) {
      report.Warn("mask " + taken[i].mask_problem +
                  "; its photo is used as a whole");
    }
  }
  if (masks > 0) {
    report.Info(Counted(masks, "mask") + ": what is black in them is not used" +
                (without > 0 ? "; " + Counted(without, "photo") +
                                   (without == 1 ? " has none" : " have none")
                             : ""));
  }
  if (transparent > 0) {
    report.Info(Counted(transparent, "photo") +
                (transparent == 1 ? " has" : " have") +
                " transparent parts, which are not used");
  }
  if (!paired.alone.empty()) {
    report.Warn(
        Counted(static_cast<int64_t>(paired.alone.size()), "mask") +
        " without a photo of that name left out: " + FirstOf(paired.alone));
  }
}

void TellAbout(const CaptureListing& listing,
               const std::vector<TakenPhoto>& taken,
               Report& report) {
  if (listing.foreign > 0) {
    report.Warn(
        Counted(static_cast<int64_t>(listing.foreign), "camera raw file") +
        " skipped; convert them to JPEG to use them");
  }
  if (!listing.videos.empty()) {
    report.Warn(Counted(static_cast<int64_t>(listing.videos.size()), "video") +
                " beside the photos left out: " + FirstOf(listing.videos) +
                "; to use them, give a folder without photos");
  }
  for (const TakenPhoto& photo : taken) {
    if (!photo.problem.empty()) report.Warn(photo.problem + "; left out");
  }
}

// Which of those that were taken show another's pixels.
std::vector<int> FindCopies(const StageContext& context,
                            const std::vector<std::string>& photos,
                            const std::vector<TakenPhoto>& taken,
                            int threads) {
  std::vector<std::string> names = photos;
  std::vector<PictureGist> gists;
  for (size_t i = 0; i < taken.size(); ++i) {
    gists.push_back(taken[i].gist);
    if (!taken[i].problem.empty()) names[i].clear();
  }
  return CopiesByPixels(context.capture, names, gists, threads);
}

std::vector<TakenPhoto> TakeAll(const StageContext& context,
                                const ExtractOptions& options,
                                const PairedMasks& paired,
                                const std::vector<int>& turns,
                                const std::vector<FrameLayout>& layouts,
                                int threads) {
  const auto total = static_cast<int64_t>(paired.photos.size());
  std::vector<TakenPhoto> taken(paired.photos.size());
  const std::unique_ptr<Progress> progress =
      context.report->Start("reading photos", total, "photos");
  std::atomic<int64_t> done = 0;
  ParallelFor(total, threads, [&](int64_t i) {
    ThrowIfInterrupted();
    const auto at = static_cast<size_t>(i);
    PhotoToTake photo;
    photo.path = context.capture / paired.photos[at];
    if (!paired.of_photo[at].empty()) {
      photo.mask = context.capture / paired.of_photo[at];
    }
    photo.turn = layouts[at].IsPlain() ? turns[at] : 1;
    photo.layout = layouts[at];
    photo.number = i + 1;
    photo.count = total;
    taken[at] = TakePhoto(photo, context.out, options.jpeg_quality);
    progress->Update(++done);
  });
  return taken;
}

// In order, those of each direction of panoramas after those of the one before.
std::vector<WrittenFrame> Written(const std::vector<std::string>& photos,
                                  const std::vector<TakenPhoto>& taken) {
  std::vector<WrittenFrame> frames;
  const auto total = static_cast<int64_t>(taken.size());
  for (int view = 0; view < kViewsOfPanorama; ++view) {
    for (size_t i = 0; i < taken.size(); ++i) {
      if (!taken[i].problem.empty() || view >= taken[i].views) continue;
      WrittenFrame frame;
      frame.file = WrittenName(
          static_cast<int64_t>(i) + 1, total, view, taken[i].suffix);
      frame.masked = taken[i].masked;
      frame.listed.original = photos[i];
      if (taken[i].views > 1) frame.listed.original += DirectionOf(view);
      frame.listed.focal = taken[i].focal;
      frames.push_back(std::move(frame));
    }
  }
  return frames;
}

void Remove(const fs::path& out,
            const TakenPhoto& photo,
            int64_t number,
            int64_t total) {
  for (int view = 0; view < photo.views; ++view) {
    const std::string name = WrittenName(number, total, view, photo.suffix);
    fs::remove(out / kFrameFolder / name);
    fs::remove(MaskFileOf(out, name));
  }
}

}  // namespace

FrameList ExtractPhotos(const StageContext& context,
                        const ExtractOptions& options,
                        const CaptureListing& listing) {
  Report& report = *context.report;
  TellWhere(listing.photos, listing, "photo", report);
  PairedMasks paired = PairMasks(listing);
  LeaveOutCopies(context, &paired);
  const std::vector<PhotoShape> shapes =
      ShapesOf(context.capture, paired.photos, context.threads);
  const int threads = context.ThreadsFor(kBytesToTake * MostPixels(shapes));
  const std::vector<FrameLayout> layouts = LayoutsOf(
      context.capture, paired.photos, shapes, options.layout, threads);
  const std::vector<int> turns = TurnsToOneShape(shapes);
  std::vector<TakenPhoto> taken =
      TakeAll(context, options, paired, turns, layouts, threads);
  TellAbout(listing, taken, report);
  TellAboutLayouts(layouts, report);
  const std::vector<int> copy_of =
      FindCopies(context, paired.photos, taken, threads);
  TellAboutCopies(paired.photos, copy_of, report);
  int64_t turned = 0;
  for (size_t i = 0; i < taken.size(); ++i) {
    if (copy_of[i] >= 0) {
      Remove(context.out,
             taken[i],
             static_cast<int64_t>(i) + 1,
             static_cast<int64_t>(taken.size()));
      taken[i].problem = "a copy";
    }
    if (turns[i] != 1 && layouts[i].IsPlain()) ++turned;
  }
  TellAboutMasks(taken, paired, report);
  if (turned > 0) {
    report.Info(Counted(turned, "photo") +
                " turned by a quarter, so that all lie as the sensor does");
  }
  FrameList list;
  list.video = false;
  list.frames = NameInOrder(Written(paired.photos, taken), context.out);
  if (list.frames.empty()) {
    throw UserError("none of the " +
                        Counted(static_cast<int64_t>(taken.size()), "image") +
                        " in '" + context.capture.string() + "' can be read (" +
                        taken.front().problem + ")",
                    "copy them from the camera again");
  }
  return list;
}

}  // namespace nerfpipe
