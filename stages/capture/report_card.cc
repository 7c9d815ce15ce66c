#include "stages/capture/report_card.h"

#include "pipeline/base/median.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace nerfpipe {
namespace {

std::string Format(const char* format, double value) {
  char text[160];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

// "3 of 100 frames are blurred", with "is" for one.
std::string Of(size_t part,
               size_t all,
               const std::string& what,
               const std::string& is,
               const std::string& are) {
  return std::to_string(part) + " of " + std::to_string(all) + " " + what +
         " " + (part == 1 ? is : are);
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
    verdict.advice = "holes are likely: 40 or more, from all round, are better";
  }
  return verdict;
}

// What the sharpness of a frame would be with light as usual: contrast, and
// with it the variance of the Laplacian, falls with the light.
double InUsualLight(double sharpness, const Tones& tones) {
  constexpr double kUsual = 0.5;
  constexpr double kLeast = 0.02;
  const double gain = std::max(1.0, kUsual / std::max(kLeast, tones.bright));
  return gain * gain * sharpness;
}

Verdict JudgeSharpness(const CaptureFile& capture,
                       const std::vector<Tones>& tones) {
  // Of the variance of the Laplacian: what is in focus is well above it.
  constexpr double kSoft = 12;
  constexpr double kManyBlurred = 0.1;
  Verdict verdict = About("sharpness");
  verdict.frames = Dropped(capture, "blurred");
  std::vector<double> sharpness;
  for (size_t i = 0; i < capture.frames.size(); ++i) {
    const CaptureFrame& frame = capture.frames[i];
    if (!frame.kept) continue;
    sharpness.push_back(tones.empty()
                            ? frame.sharpness
                            : InUsualLight(frame.sharpness, tones[i]));
  }
  const size_t compared = verdict.frames.size() + sharpness.size();
  const double share = static_cast<double>(verdict.frames.size()) /
                       static_cast<double>(std::max<size_t>(1, compared));
  verdict.finding = verdict.frames.empty()
                        ? "no frame is more blurred than its neighbours"
                        : Of(verdict.frames.size(),
                             compared,
                             "frames",
                             "is blurred and left out",
                             "are blurred and left out");
  if (share > kManyBlurred) {
    verdict.grade = Grade::kFair;
    verdict.advice = "move more slowly, in more light";
  }
  if (sharpness.empty() || UpperMedian(std::move(sharpness)) < kSoft) {
    verdict.grade = Grade::kFair;
    verdict.finding += "; most are soft or plain";
    verdict.advice =
        "wipe the lens, let it focus, and give a plain subject something to "
        "see, such as a printed cloth under it";
  }
  return verdict;
}

bool IsDark(const Tones& tones) {
  return tones.bright < 0.19 || tones.black > 0.6;
}

bool IsBright(const Tones& tones) {
  return tones.dark > 0.8 || tones.white > 0.2;
}

bool IsLost(const Tones& tones) { return tones.white > 0.5; }

void Add(const std::string& more, std::string* text) {
  *text += (text->empty() ? "" : "; ") + more;
}

Verdict JudgeExposure(const CaptureFile& capture, const CaptureLight& light) {
  constexpr double kNoticed = 0.1;  // of the frames
  constexpr double kMost = 0.5;
  Verdict verdict = About("exposure");
  std::vector<std::string> dark;
  std::vector<std::string> bright;
  size_t kept = 0;
  size_t lost = 0;
  for (size_t i = 0; i < light.tones.size(); ++i) {
    if (!capture.frames[i].kept) continue;
    ++kept;
    if (IsDark(light.tones[i])) dark.push_back(capture.frames[i].name);
    if (IsBright(light.tones[i])) bright.push_back(capture.frames[i].name);
    lost += IsLost(light.tones[i]);
  }
  const auto share = [&](size_t count) {
    return static_cast<double>(count) /
           static_cast<double>(std::max<size_t>(1, kept));
  };
  verdict.finding = Format("changes by %.1f stops", light.exposure);
  if (light.exposure > 1) {
    verdict.grade = light.exposure > 2.5 ? Grade::kBad : Grade::kFair;
    verdict.advice =
        "a change shows as fog in the result: lock the exposure when filming";
  }
  const auto report = [&](const std::vector<std::string>& frames,
                          bool bad,
                          const char* what,
                          const char* advice) {
    if (share(frames.size()) < kNoticed) return;
    verdict.grade = std::max(verdict.grade, bad ? Grade::kBad : Grade::kFair);
    Add(Of(frames.size(), kept, "frames", "is", "are") + " " + what,
        &verdict.finding);
    Add(advice, &verdict.advice);
    verdict.frames.insert(verdict.frames.end(), frames.begin(), frames.end());
  };
  report(dark,
         share(dark.size()) >= kMost,
         "too dark",
         "film in more light: the contrast is stretched when features are "
         "looked for, but what is dark and noisy stays so in the result");
  report(bright,
         share(lost) >= kMost,
         "too bright",
         "expose for the brightest parts of the subject: what is burnt out "
         "has no features and no colour");
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
                        : Of(frames.size(),
                             capture.frames.size(),
                             "frames",
                             "repeats the view before and is left out",
                             "repeat the view before and are left out");
  return verdict;
}

Verdict JudgeOverlap(const std::vector<const CaptureFrame*>& kept,
                     const std::vector<ComparedPair>& pairs,
                     const std::string& kind) {
  // Of photos, which may be far apart, many more matches are found later.
  const double most_outside = kind == "photos" ? 0.4 : 0.1;
  Verdict verdict = About("overlap");
  if (kept.size() < 2) {
    verdict.finding = "there is nothing to compare";
    return verdict;
  }
  const std::vector<std::vector<size_t>> parts = Parts(kept.size(), pairs);
  if (parts.size() <= 1) {
    verdict.finding = "every view shares much with another";
    return verdict;
  }
  const size_t outside = kept.size() - parts[0].size();
  for (size_t i = 1; i < parts.size(); ++i) {
    for (const size_t at : parts[i]) verdict.frames.push_back(kept[at]->name);
  }
  std::sort(verdict.frames.begin(), verdict.frames.end());
  verdict.finding = Of(outside,
                       kept.size(),
                       "views",
                       "shares little with the others",
                       "share little with the others") +
                    "; the capture falls into " + std::to_string(parts.size()) +
                    " parts";
  verdict.grade = static_cast<double>(outside) >
                          most_outside * static_cast<double>(kept.size())
                      ? Grade::kBad
                      : Grade::kFair;
  if (kind == "photos") {
    verdict.advice =
        "add photos in between, each sharing two thirds of its picture with "
        "the next";
  } else {
    verdict.advice =
        "film these stretches again, more slowly and in one go; more frames "
        "may help: extract.target";
  }
  if (kind == "clips") {
    verdict.advice += "; let each clip show much of what another one shows";
  }
  return verdict;
}

// Does the camera move, and does all that it sees move with it?
Verdict JudgeMovement(const std::vector<ComparedPair>& pairs) {
  constexpr double kFewestMoved = 0.02;  // of the width
  constexpr double kWide = 0.1;          // of the width
  constexpr size_t kFewestWide = 4;
  constexpr double kPlanar = 0.7;  // of the matches of a pair
  constexpr double kMostPairs = 0.85;
  constexpr double kStill = 0.25;       // of the matches of a pair
  constexpr double kEnoughStill = 0.4;  // of the pairs
  Verdict verdict = About("movement");
  std::vector<std::array<double, 9>> planar;
  size_t near = 0;
  size_t wide = 0;
  size_t moved = 0;
  size_t still = 0;
  for (const ComparedPair& pair : pairs) {
    // Views far apart share little but what was printed over the picture.
    if (!pair.far) {
      ++near;
      still += pair.common.still > kStill;
    }
    if (!HangTogether(pair.common) || pair.common.shift < kFewestMoved) {
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
      AreRotations(planar)) {
    verdict.grade = Grade::kBad;
    verdict.finding = "the camera turns on the spot";
    verdict.advice =
        "from one place there is no depth to be seen: walk round the subject";
  } else if (most(still, kEnoughStill, near)) {
    verdict.grade = Grade::kFair;
    verdict.finding = "the subject moves and what is behind it stands still";
    verdict.advice =
        "better walk round it than turn it: the background is left out when "
        "cameras are looked for, but not of the NeRF";
  } else if (moved == 0) {
    verdict.grade = Grade::kFair;
    verdict.finding = "no movement of the camera can be measured";
    verdict.advice = "walk round the subject while filming";
  } else {
    verdict.finding = "the camera moves through a scene that stands still";
  }
  return verdict;
}

Verdict JudgeLoop(size_t kept, const std::vector<ComparedPair>& pairs) {
  Verdict verdict = About("orbit");
  const bool closes =
      std::any_of(pairs.begin(), pairs.end(), [&](const ComparedPair& pair) {
        return !pair.far &&
               pair.second - pair.first > std::max(kept / 2, 2 * kStride) &&
               HangTogether(pair.common);
      });
  if (closes) {
    verdict.finding = "the end of the walk sees its beginning again";
  } else {
    verdict.grade = Grade::kFair;
    verdict.finding = "the end of the walk does not see its beginning";
    verdict.advice =
        "if the subject stands free, go all the way round it and a little "
        "further; for a wall or a front it does not matter";
  }
  return verdict;
}

// Several clips need not close one by one, if they do so together.
bool IsOneWalk(const CaptureFile& capture) {
  return capture.kind != "photos" &&
         std::all_of(capture.frames.begin(),
                     capture.frames.end(),
                     [&](const CaptureFrame& frame) {
                       return frame.clip == capture.frames[0].clip;
                     });
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

std::vector<Verdict> ReportCard(const CaptureFile& capture,
                                const std::vector<ComparedPair>& pairs,
                                const CaptureLight& light) {
  const std::vector<const CaptureFrame*> kept = Kept(capture);
  std::vector<Verdict> card = {JudgeAmount(static_cast<int64_t>(kept.size())),
                               JudgeSharpness(capture, light.tones),
                               JudgeExposure(capture, light),
                               JudgeColour(light.colour),
                               JudgeOverlap(kept, pairs, capture.kind),
                               JudgeMovement(pairs)};
  if (capture.kind != "photos") card.push_back(JudgeDuplicates(capture));
  if (IsOneWalk(capture)) card.push_back(JudgeLoop(kept.size(), pairs));
  return card;
}

Grade Overall(const std::vector<Verdict>& card) {
  Grade worst = Grade::kGood;
  for (const Verdict& verdict : card) worst = std::max(worst, verdict.grade);
  return worst;
}

}  // namespace nerfpipe
