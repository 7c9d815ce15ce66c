#include "stages/capture/capture_listing.h"

#include "pipeline/base/error.h"
#include "pipeline/base/folders.h"
#include "pipeline/base/text.h"
#include "stages/capture/natural_order.h"
#include "stages/capture/report_card.h"
#include "stages/media/file_kind.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 3;

bool IsHidden(const std::string& name) { return name.front() == '.'; }

// Thumbnails and rubbish of network storages and other systems.
bool BelongsToTheSystem(const std::string& name) {
  return IsHidden(name) || name.front() == '@' || name.front() == '$' ||
         name == "__MACOSX" || name == "lost+found";
}

bool IsMaskFolder(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return name == "mask" || name == "masks";
}

// "images" is 1 of "images", "images_4" 4; nothing for other endings.
std::pair<std::string, int> FactorOf(const std::string& name) {
  const size_t bar = name.rfind('_');
  int factor = 0;
  if (bar != std::string::npos && bar > 0) {
    const char* end = name.data() + name.size();
    const auto [stop, error] =
        std::from_chars(name.data() + bar + 1, end, factor);
    if (error == std::errc() && stop == end && factor > 1) {
      return {name.substr(0, bar), factor};
    }
  }
  return {name, 1};
}

// Nothing of a folder that may not be read.
std::vector<fs::directory_entry> ReadableEntriesOf(const fs::path& folder) {
  try {
    return EntriesOf(folder);
  } catch (const MachineError&) {
    throw;
  } catch (const UserError&) {
    return {};
  }
}

// Of the first picture in it; nothing where there is none.
std::optional<ImageSize> PictureSizeIn(const fs::path& folder) {
  std::set<fs::path> pictures;
  for (const fs::directory_entry& entry : ReadableEntriesOf(folder)) {
    if (HasImageSuffix(entry.path())) pictures.insert(entry.path());
  }
  if (pictures.empty()) return std::nullopt;
  try {
    return ReadImageSize(*pictures.begin());
  } catch (const MachineError&) {
    throw;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

// "images_4" where there is "images" or "images_2", with pictures of four or
// two times the size: others may be of another day.
bool IsSmallerCopy(const fs::path& folder) {
  constexpr double kRounding = 0.05;
  const auto [name, factor] = FactorOf(folder.filename().string());
  if (factor == 1) return false;
  std::error_code error;
  for (const fs::directory_entry& entry :
       ReadableEntriesOf(folder.parent_path())) {
    const auto [other, less] = FactorOf(entry.path().filename().string());
    if (other != name || less >= factor || !entry.is_directory(error)) continue;
    const std::optional<ImageSize> small = PictureSizeIn(folder);
    const std::optional<ImageSize> large = PictureSizeIn(entry.path());
    if (!small || !large) continue;
    const double ratio = static_cast<double>(large->width) / small->width;
    if (std::abs(ratio * less / factor - 1) < kRounding) return true;
  }
  return false;
}

class Walk {
 public:
  explicit Walk(CaptureListing* listing) : listing_(listing) {}

  // `prefix`: of the names in `folder`, empty or ending in '/'.
  void Into(const fs::path& folder,
            const std::string& prefix,
            int depth,
            bool masks) {
    std::error_code error;
    // A link may lead back to a folder above.
    if (!seen_.insert(fs::weakly_canonical(folder, error)).second) return;
    for (const fs::directory_entry& entry : EntriesOf(folder)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory(error)) {
        TakeFolder(entry.path(), prefix + name, depth + 1, masks);
      } else if (IsHidden(name) || !entry.is_regular_file(error)) {
        ++listing_->others;
      } else {
        TakeFile(entry.path(), prefix + name, masks);
      }
    }
  }

 private:
  void TakeFolder(const fs::path& folder,
                  const std::string& name,
                  int depth,
                  bool masks) {
    std::error_code error;
    const std::string last = folder.filename().string();
    if (BelongsToTheSystem(last)) return;
    if (fs::exists(folder / ".nerfpipe", error)) return;
    if (IsSmallerCopy(folder)) {
      listing_->smaller_copies.push_back(name);
    } else if (depth > kDeepest) {
      if (HoldsImages(folder)) listing_->too_deep.push_back(name);
    } else {
      Into(folder, name + "/", depth, masks || IsMaskFolder(last));
    }
  }

  void TakeFile(const fs::path& path, const std::string& name, bool masks) {
    if (IsImageFile(path)) {
      (masks ? listing_->in_mask_folders : listing_->photos).push_back(name);
    } else if (HasVideoSuffix(path)) {
      listing_->videos.push_back(name);
    } else if (HasForeignImageSuffix(path)) {
      ++listing_->foreign;
    } else {
      ++listing_->others;
    }
  }

  static bool HoldsImages(const fs::path& folder) {
    for (const fs::directory_entry& entry : ReadableEntriesOf(folder)) {
      if (HasImageSuffix(entry.path())) return true;
    }
    return false;
  }

  CaptureListing* listing_;
  std::set<fs::path> seen_;
};

std::string FolderOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

}  // namespace

CaptureListing ListCapture(const fs::path& folder) {
  CaptureListing listing;
  Walk(&listing).Into(folder, "", 0, /*masks=*/false);
  for (std::vector<std::string>* names : {&listing.photos,
                                          &listing.videos,
                                          &listing.in_mask_folders,
                                          &listing.smaller_copies,
                                          &listing.too_deep}) {
    std::sort(names->begin(), names->end(), NaturalLess);
  }
  return listing;
}

bool AreVideosMeant(const CaptureListing& listing) {
  return !listing.videos.empty() &&
         static_cast<int64_t>(listing.photos.size()) < kFewestFrames;
}

std::string FirstOf(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    text += (i == 0 ? "'" : ", '") + names[i] + "'";
  }
  if (names.size() > kShown) {
    text += " and " + std::to_string(names.size() - kShown) + " more";
  }
  return text;
}

void TellWhere(const std::vector<std::string>& names,
               const CaptureListing& listing,
               const std::string& unit,
               Report& report) {
  constexpr size_t kShown = 4;
  std::map<std::string, int64_t, decltype(&NaturalLess)> counts(NaturalLess);
  for (const std::string& name : names) ++counts[FolderOf(name)];
  if (counts.size() == 1 && !counts.contains("")) {
    report.Info("the " + unit + "s are in '" + counts.begin()->first + "'");
  } else if (counts.size() > 1) {
    std::string line;
    size_t shown = 0;
    for (const auto& [folder, count] : counts) {
      if (shown++ == kShown) break;
      line += (line.empty() ? "" : ", ") + std::to_string(count) +
              (folder.empty() ? " on top" : " in '" + folder + "'");
    }
    if (counts.size() > kShown) {
      line +=
          ", the rest in " +
          Counted(static_cast<int64_t>(counts.size() - kShown), "other folder");
    }
    report.Info(Counted(static_cast<int64_t>(names.size()), unit) + ": " +
                line);
  }
  if (listing.others > 0) {
    report.Info(Counted(static_cast<int64_t>(listing.others), "file") +
                " in the folder skipped: hidden or no picture");
  }
  if (!listing.smaller_copies.empty()) {
    report.Info("left out as smaller copies of other folders: " +
                FirstOf(listing.smaller_copies));
  }
  if (!listing.too_deep.empty()) {
    report.Warn("not looked into, as they lie more than " +
                std::to_string(kDeepest) + " folders deep: " +
                FirstOf(listing.too_deep) + "; give a folder nearer to them");
  }
}

}  // namespace nerfpipe
