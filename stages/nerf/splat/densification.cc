#include "stages/nerf/splat/densification.h"

#include "stages/nerf/kernels/counter_random.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace nerfpipe::nerf::splat {
namespace {

void Prune(const DensifyRules& rules,
           std::vector<uint8_t> floats,
           GaussianSet* set) {
  floats.resize(set->count());
  for (int64_t i = 0; i < set->count();) {
    const bool sound = std::isfinite(set->at(i, kMeanRow)) &&
                       set->OpacityOf(i) >= rules.least_opacity;
    if (sound && floats[i] == 0) {
      ++i;
      continue;
    }
    set->Remove(i);
    floats[i] = floats[set->count()];
  }
}

// Numbers of `count` gaussians, likelier by their error (Efraimidis and
// Spirakis 2006): those with the largest log(uniform) / weight.
std::vector<int64_t> DrawByError(const GaussianSet& set,
                                 int64_t count,
                                 uint64_t key) {
  const float* errors = set.errors();
  std::vector<std::pair<double, int64_t>> draws;
  for (int64_t i = 0; i < set.count(); ++i) {
    if (!(errors[i] > 0)) continue;
    const double u =
        kernels::RandomUniform(key, static_cast<uint64_t>(i)) + 1e-12;
    draws.emplace_back(-std::log(u) / static_cast<double>(errors[i]), i);
  }
  count = std::min<int64_t>(count, std::ssize(draws));
  std::nth_element(draws.begin(), draws.begin() + count, draws.end());
  std::vector<int64_t> chosen;
  for (int64_t k = 0; k < count; ++k) chosen.push_back(draws[k].second);
  // What comes first in memory is split first, whatever the library's order.
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

void Densify(const DensifyRules& rules,
             const std::vector<uint8_t>& floats,
             uint64_t key,
             GaussianSet* set) {
  Prune(rules, floats, set);
  const int64_t more = std::min(rules.wanted, set->capacity()) - set->count();
  if (more > 0) {
    for (const int64_t i :
         DrawByError(*set, std::min(more, set->count() / 2), key)) {
      set->Split(i);
    }
  }
  set->ClearErrors();
}

}  // namespace nerfpipe::nerf::splat
