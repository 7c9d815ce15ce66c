#pragma once

// Which faults are tried on a scene, and what came of them.

#include "tests/faults/trial.h"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace nerfpipe {

struct CampaignOptions {
  int points = 3;               // of each kind of call, at equal steps
  int kills = 0;                // before a changing call chosen at random
  int kills_in_time = 0;        // at a random moment
  std::set<std::string> kinds;  // only these; empty: all
  bool threads = true;          // are refused, too
  bool every_error = true;      // else the first of each kind, and EINTR
};

// What was tried with one kind of call.
struct Tally {
  std::string what;    // "write, ENOSPC"
  int64_t points = 0;  // calls of an undisturbed run
  int64_t tried = 0;
  int64_t same = 0;
  int64_t told = 0;
  int64_t killed = 0;
  int64_t missed = 0;
  int64_t wrong = 0;
};

// `tell` gets each trial in words.
std::vector<Tally> Try(
    const Scene& scene,
    const CampaignOptions& options,
    const std::function<void(const std::string& fault, const Trial&)>& tell);

}  // namespace nerfpipe
