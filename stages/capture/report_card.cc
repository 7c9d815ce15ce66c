#include "stages/capture/report_card.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <numeric>
#include <utility>

namespace nerfpipe {
namespace {

// Matches that make it likely that two views are found to be of one place: the
// corners that are compared here are a tenth of what is matched later.
constexpr int kEnoughMatches = 18;
// Frames between the views of a wider pair.
constexpr size_t kStride = 5;

std::string Format(const char* format, double value) {
  char text[160];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

std::string Of(int64_t part, size_t all, const std::string& what) {
  return std::to_string(part) + " of " + std::to_string(all) + " " + what;
}

Verdict About(std::string item) {
  Verdict verdict;
  verdict.item = std::move(item);
  return verdict;
}

std::vector<const CaptureFrame*> Kept(const CaptureFile& capture) {
  std::vector<const CaptureFrame*> kept;
  for (const CaptureFrame& frame : capture.frames) {
    if (frame.kept) kept.push_back(&frame);
  }
  return kept;
}

std::vector<std::string> Dropped(const CaptureFile& capture,
                                 const std::string& reason) {
  std::vector<std::string> names;
  for (const CaptureFrame& frame : capture.frames) {
    if (!frame.kept && frame.reason.starts_with(reason)) {
      names.push_back(frame.name);
    }
  }
  return names;
}

Verdict JudgeAmount(int64_t kept) {
  constexpr int64_t kFew = 40;
  Verdict verdict = About("amount");
  verdict.finding = std::to_string(kept) + " frames can be used";
  if (kept < kFew) {
    verdict.grade = kept < kFewestFrames ? Grade::kBad : Grade::kFair;
    verdict.advice = "holes are likely; 40 or more from all round are better";
  }
  return verdict;
}

Verdict JudgeSharpness(const CaptureFile& capture) {
  // Of the variance of the Laplacian: what is in focus is well above it.
  constexpr double kSoft = 12;
  constexpr double kManyBlurred = 0.1;
  Verdict verdict = About("sharpness");
  verdict.frames = Dropped(capture, "blurred");
  std::vector<double> sharpness;
  for (const CaptureFrame* frame : Kept(capture)) {
    sharpness.push_back(frame->sharpness);
  }
  std::sort(sharpness.begin(), sharpness.end());
  const double median = sharpness.empty() ? 0 : sharpness[sharpness.size() / 2];
  const double share =
      static_cast<double>(verdict.frames.size()) /
      std::max<size_t>(1, verdict.frames.size() + sharpness.size());
  verdict.finding = verdict.frames.empty()
                        ? "no frame is more blurred than its neighbours"
                        : Of(static_cast<int64_t>(verdict.frames.size()),
                             verdict.frames.size() + sharpness.size(),
                             "frames are blurred and left out");
  if (share > kManyBlurred) {
    verdict.grade = Grade::kFair;
    verdict.advice = "move more slowly, in more light";
  }
  if (median < kSoft) {
    verdict.grade = Grade::kFair;
    verdict.finding += Format("; all are soft or plain (%.0f)", median);
    verdict.advice =
        "wipe the lens, let it focus, and give a plain subject something to "
        "see, such as a printed cloth under it";
  }
  return verdict;
}

Verdict JudgeExposure(double stops) {
  Verdict verdict = About("exposure");
  verdict.finding = Format("changes by %.1f stops", stops);
  if (stops > 1) {
    verdict.grade = stops > 2.5 ? Grade::kBad : Grade::kFair;
    verdict.advice =
        "shows as fog in the result; lock the exposure when filming";
  }
  return verdict;
}

Verdict JudgeColour(double stops) {
  constexpr double kMuch = 0.8;
  Verdict verdict = About("white balance");
  verdict.finding = Format("changes by %.1f stops", stops);
  if (stops > kMuch) {
    verdict.grade = Grade::kFair;
    verdict.advice = "lock the white balance, and mix no daylight with lamps";
  }
  return verdict;
}

Verdict JudgeDuplicates(const CaptureFile& capture) {
  Verdict verdict = About("repeats");
  const std::vector<std::string> frames = Dropped(capture, "same view");
  verdict.finding = frames.empty()
                        ? "every frame shows another view"
                        : Of(static_cast<int64_t>(frames.size()),
                             capture.frames.size(),
                             "frames show the view before again and are left "
                             "out");
  return verdict;
}

bool HangTogether(const ViewPair& common) {
  return common.matches >= kEnoughMatches;
}

// Sets of views, each at first of one.
class Groups {
 public:
  explicit Groups(size_t views) : parent_(views) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }
  // A view that stands for the set that this one is in.
  size_t Of(size_t view) {
    while (parent_[view] != view) {
      view = parent_[view] = parent_[parent_[view]];
    }
    return view;
  }
  void Join(size_t a, size_t b) { parent_[Of(a)] = Of(b); }

 private:
  std::vector<size_t> parent_;
};

// Sets of views that hang together, the largest first.
std::vector<std::vector<size_t>> Parts(
    size_t count, const std::vector<ComparedViews::Pair>& pairs) {
  Groups groups(count);
  for (const ComparedViews::Pair& pair : pairs) {
    if (HangTogether(pair.common)) groups.Join(pair.first, pair.second);
  }
  std::map<size_t, std::vector<size_t>> members;
  for (size_t i = 0; i < count; ++i) members[groups.Of(i)].push_back(i);
  std::vector<std::vector<size_t>> parts;
  for (auto& [view, part] : members) parts.push_back(std::move(part));
  std::stable_sort(
      parts.begin(), parts.end(), [](const auto& a, const auto& b) {
        return a.size() > b.size();
      });
  return parts;
}

Verdict JudgeOverlap(const std::vector<const CaptureFrame*>& kept,
                     const ComparedViews& views,
                     bool video) {
  // Of photos, which may be far apart, many more matches are found later.
  const double most_outside = video ? 0.1 : 0.4;
  Verdict verdict = About("overlap");
  if (kept.size() < 2) {
    verdict.finding = "there is nothing to compare";
    return verdict;
  }
  const std::vector<std::vector<size_t>> parts =
      Parts(kept.size(), views.pairs);
  if (parts.size() <= 1) {
    verdict.finding = "every view shares much with another";
    return verdict;
  }
  const size_t outside = kept.size() - parts[0].size();
  for (size_t i = 1; i < parts.size(); ++i) {
    for (const size_t at : parts[i]) verdict.frames.push_back(kept[at]->name);
  }
  std::sort(verdict.frames.begin(), verdict.frames.end());
  verdict.finding = Of(static_cast<int64_t>(outside),
                       kept.size(),
                       "views share little with the rest, which falls into " +
                           std::to_string(parts.size()) + " parts");
  verdict.grade = static_cast<double>(outside) >
                          most_outside * static_cast<double>(kept.size())
                      ? Grade::kBad
                      : Grade::kFair;
  verdict.advice = video ? "film these stretches again, more slowly and in "
                           "one go; more frames may help: extract.target"
                         : "add photos in between, each sharing two thirds of "
                           "its picture with the next";
  return verdict;
}

// Does the camera move, and does all that it sees move with it?
Verdict JudgeMovement(const ComparedViews& views) {
  constexpr double kFewestMoved = 0.02;  // of the width
  constexpr double kWide = 0.1;          // of the width
  constexpr size_t kFewestWide = 4;
  constexpr double kPlanar = 0.7;  // of the matches of a pair
  constexpr double kMostPairs = 0.85;
  constexpr double kStill = 0.25;       // of the matches of a pair
  constexpr double kEnoughStill = 0.4;  // of the pairs
  Verdict verdict = About("movement");
  std::vector<std::array<double, 9>> planar;
  size_t wide = 0;
  size_t moved = 0;
  size_t still = 0;
  for (const ComparedViews::Pair& pair : views.pairs) {
    still += pair.common.still > kStill;
    if (pair.common.matches < kEnoughMatches ||
        pair.common.shift < kFewestMoved) {
      continue;
    }
    ++moved;
    // Between nearer views the motion along a wall looks like a turn as well.
    if (pair.common.shift < kWide) continue;
    ++wide;
    if (pair.common.planar > kPlanar) planar.push_back(pair.common.homography);
  }
  const auto most = [](size_t part, double share, size_t all) {
    return all > 0 &&
           static_cast<double>(part) >= share * static_cast<double>(all);
  };
  if (wide >= kFewestWide && most(planar.size(), kMostPairs, wide) &&
      AreRotations(planar, views.width, views.height)) {
    verdict.grade = Grade::kBad;
    verdict.finding = "the camera turns on the spot";
    verdict.advice =
        "from one place there is no depth to be seen: walk round the subject";
  } else if (most(still, kEnoughStill, views.pairs.size())) {
    verdict.grade = Grade::kFair;
    verdict.finding = "the subject moves and what is behind it stands still";
    verdict.advice =
        "better walk round it than turn it: the background is left out when "
        "cameras are found, but not from the NeRF";
  } else if (moved == 0) {
    verdict.grade = Grade::kFair;
    verdict.finding = "no movement of the camera can be measured";
    verdict.advice = "walk round the subject while filming";
  } else {
    verdict.finding = "the camera moves through a scene that stands still";
  }
  return verdict;
}

Verdict JudgeLoop(size_t kept, const ComparedViews& views) {
  Verdict verdict = About("orbit");
  const bool closes = std::any_of(
      views.pairs.begin(), views.pairs.end(), [&](const auto& pair) {
        return pair.second - pair.first > std::max(kept / 2, 2 * kStride) &&
               pair.common.matches >= kEnoughMatches;
      });
  if (closes) {
    verdict.finding = "the end of the walk sees its beginning again";
  } else {
    verdict.grade = Grade::kFair;
    verdict.finding = "the end of the walk does not see its beginning";
    verdict.advice =
        "of a thing in the round, go all the way and a little further; of a "
        "wall or a front it does not matter";
  }
  return verdict;
}

// Pairs of photos, those that look most alike first, that hang them all
// together if anything does.
std::vector<ComparedViews::Pair> CompareAlike(
    const std::vector<ViewPoints>& views, int threads) {
  constexpr size_t kMostPairs = 4000;
  constexpr int kFewestAlike = 12;
  constexpr size_t kMostFailed = 300;
  if (views.size() < 2) return {};
  // Of many photos, which were likely taken in their order, only neighbours.
  const size_t reach =
      std::min(views.size(), std::max<size_t>(12, kMostPairs / views.size()));
  std::vector<ComparedViews::Pair> pairs;
  for (size_t i = 0; i < views.size(); ++i) {
    for (size_t j = i + 1; j < std::min(views.size(), i + 1 + reach); ++j) {
      pairs.push_back({i, j, {}});
    }
  }
  std::vector<int> alike(pairs.size());
  ParallelFor(static_cast<int64_t>(pairs.size()), threads, [&](int64_t at) {
    ThrowIfInterrupted();
    const auto k = static_cast<size_t>(at);
    alike[k] = CountAlike(views[pairs[k].first], views[pairs[k].second]);
  });
  std::vector<size_t> order;
  for (size_t k = 0; k < pairs.size(); ++k) {
    if (alike[k] >= kFewestAlike) order.push_back(k);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return alike[a] > alike[b];
  });
  Groups groups(views.size());
  std::vector<ComparedViews::Pair> compared;
  size_t failed = 0;
  for (const size_t k : order) {
    ComparedViews::Pair& pair = pairs[k];
    if (groups.Of(pair.first) == groups.Of(pair.second)) continue;
    if (failed >= kMostFailed) break;
    pair.common = CompareViews(views[pair.first], views[pair.second]);
    if (HangTogether(pair.common)) {
      groups.Join(pair.first, pair.second);
    } else {
      ++failed;
    }
    compared.push_back(pair);
  }
  return compared;
}

std::vector<ComparedViews::Pair> PairsOfWalk(size_t count) {
  constexpr size_t kEnds = 3;
  std::vector<ComparedViews::Pair> pairs;
  for (size_t i = 0; i + 1 < count; ++i) {
    pairs.push_back({i, i + 1, {}});
    if (i + kStride < count) pairs.push_back({i, i + kStride, {}});
  }
  // The walk may go further than once round.
  for (size_t end = count - std::min(count, kEnds); end < count; ++end) {
    for (size_t i = 0; i + count / 2 + 1 < end; i += 2) {
      pairs.push_back({i, end, {}});
    }
  }
  return pairs;
}

}  // namespace

const char* NameOf(Grade grade) {
  switch (grade) {
    case Grade::kGood:
      return "good";
    case Grade::kFair:
      return "fair";
    case Grade::kBad:
      break;
  }
  return "bad";
}

std::vector<ComparedViews::Pair> CompareCapture(
    const std::vector<ViewPoints>& views, bool video, int threads) {
  if (!video) return CompareAlike(views, threads);
  std::vector<ComparedViews::Pair> pairs = PairsOfWalk(views.size());
  ParallelFor(static_cast<int64_t>(pairs.size()), threads, [&](int64_t at) {
    ThrowIfInterrupted();
    ComparedViews::Pair& pair = pairs[static_cast<size_t>(at)];
    pair.common = CompareViews(views[pair.first], views[pair.second]);
  });
  return pairs;
}

std::vector<Verdict> ReportCard(const CaptureFile& capture,
                                const ComparedViews& views,
                                const LightDrift& drift) {
  const bool video = capture.kind == "video";
  const std::vector<const CaptureFrame*> kept = Kept(capture);
  std::vector<Verdict> card = {JudgeAmount(static_cast<int64_t>(kept.size())),
                               JudgeSharpness(capture),
                               JudgeExposure(drift.exposure),
                               JudgeColour(drift.colour),
                               JudgeOverlap(kept, views, video),
                               JudgeMovement(views)};
  if (video) {
    card.push_back(JudgeDuplicates(capture));
    card.push_back(JudgeLoop(kept.size(), views));
  }
  return card;
}

Grade Overall(const std::vector<Verdict>& card) {
  Grade worst = Grade::kGood;
  for (const Verdict& verdict : card) worst = std::max(worst, verdict.grade);
  return worst;
}

}  // namespace nerfpipe
