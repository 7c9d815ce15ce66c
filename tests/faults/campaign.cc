#include "tests/faults/campaign.h"

#include "pipeline/base/random.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

namespace nerfpipe {
namespace {

struct Kind {
  std::string name;
  std::vector<int> errors;
  bool on = false;  // and all later ones
};

// "room" is a disk that is full from that call on.
const std::vector<Kind> kKinds = {
    {"open", {EIO, EMFILE, EINTR}},
    {"create", {ENOSPC, EMFILE, EINTR}},
    {"read", {EIO, EINTR}},
    {"write", {ENOSPC, EIO, EINTR}},
    {"room", {ENOSPC}, /*on=*/true},
    {"fsync", {EIO, ENOSPC, EINTR}},
    {"syncfs", {EIO, ENOSPC, EINTR}},
    {"rename", {EIO, ENOSPC}},
    {"mkdir", {ENOSPC}},
    {"unlink", {EIO}},
    {"truncate", {EIO}},
    {"allocate", {ENOMEM}},
    {"allocate", {ENOMEM}, /*on=*/true},
    {"fork", {EAGAIN, ENOMEM}},
    {"thread", {EAGAIN}},
    {"thread", {EAGAIN}, /*on=*/true},
    {"wait", {EINTR}},
};

// `count` numbers from 1 to `most` at equal steps.
std::set<int64_t> Points(int64_t most, int count) {
  std::set<int64_t> points;
  if (count == 1 && most > 0) return {(most + 1) / 2};
  for (int i = 0; i < count && most > 0; ++i) {
    points.insert(1 + i * (most - 1) / (count - 1));
  }
  return points;
}

void Add(const Trial& trial, Tally* tally) {
  ++tally->tried;
  switch (trial.outcome) {
    case Outcome::kSame:
      ++tally->same;
      break;
    case Outcome::kTold:
      ++tally->told;
      break;
    case Outcome::kKilled:
      ++tally->killed;
      break;
    case Outcome::kMissed:
      ++tally->missed;
      break;
  }
  if (!trial.problem.empty()) ++tally->wrong;
}

using Tell = std::function<void(const std::string&, const Trial&)>;

void TryKind(const Scene& scene,
             const Kind& kind,
             Whose whose,
             const CampaignOptions& options,
             const Tell& tell,
             std::vector<Tally>* tallies) {
  const int64_t count = scene.Count(kind.name, whose);
  for (const int error : kind.errors) {
    const bool wanted =
        options.every_error || error == EINTR || error == kind.errors.front();
    if (count == 0 || !wanted) continue;
    Tally tally;
    tally.what = kind.name + (kind.on ? ", on, " : ", ") +
                 strerrorname_np(error) +
                 (whose == Whose::kChild ? ", child" : "");
    tally.points = count;
    for (const int64_t number : Points(count, options.points)) {
      const Fault fault = {kind.name, error, number, kind.on, whose};
      const Trial trial = scene.Fail(fault);
      tell(WordsFor(fault), trial);
      Add(trial, &tally);
    }
    tallies->push_back(tally);
  }
}

Tally KillBeforeCalls(const Scene& scene, int kills, const Tell& tell) {
  Tally tally;
  tally.what = "killed before a call";
  tally.points = scene.Count("change", Whose::kProgram) +
                 scene.Count("change", Whose::kChild);
  Random random(13);
  for (int i = 0; i < kills; ++i) {
    auto number = 1 + static_cast<int64_t>(
                          random.Uniform(0, static_cast<double>(tally.points)));
    const int64_t own = scene.Count("change", Whose::kProgram);
    const Whose whose = number > own ? Whose::kChild : Whose::kProgram;
    if (whose == Whose::kChild) number -= own;
    const Trial trial = scene.KillAt(number, whose);
    tell("killed before change " + std::to_string(number), trial);
    Add(trial, &tally);
  }
  return tally;
}

Tally KillInTime(const Scene& scene, int kills, const Tell& tell) {
  Tally tally;
  tally.what = "killed at a moment";
  Random random(29);
  for (int i = 0; i < kills; ++i) {
    const double moment = random.Uniform(0, scene.seconds());
    const Trial trial = scene.KillAfter(moment);
    tell("killed after " + std::to_string(moment) + " s", trial);
    Add(trial, &tally);
  }
  return tally;
}

}  // namespace

std::vector<Tally> Try(const Scene& scene,
                       const CampaignOptions& options,
                       const Tell& tell) {
  std::vector<Tally> tallies;
  for (const Kind& kind : kKinds) {
    if (!options.kinds.empty() && !options.kinds.contains(kind.name)) continue;
    if (!options.threads && kind.name == "thread") continue;
    for (const Whose whose : {Whose::kProgram, Whose::kChild}) {
      TryKind(scene, kind, whose, options, tell, &tallies);
    }
  }
  if (options.kills > 0) {
    tallies.push_back(KillBeforeCalls(scene, options.kills, tell));
  }
  if (options.kills_in_time > 0) {
    tallies.push_back(KillInTime(scene, options.kills_in_time, tell));
  }
  return tallies;
}

}  // namespace nerfpipe
