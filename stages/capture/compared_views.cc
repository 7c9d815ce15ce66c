#include "stages/capture/compared_views.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/median.h"
#include "pipeline/base/parallel.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace nerfpipe {
namespace {

// The corners that are compared here are a tenth of what is matched later.
constexpr int kEnoughMatches = 18;
// Corners that resemble each other, below which views are not compared.
constexpr int kFewestAlike = 12;

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

void Compare(const std::vector<ViewPoints>& views,
             int threads,
             std::vector<ComparedPair>* pairs) {
  ParallelFor(static_cast<int64_t>(pairs->size()), threads, [&](int64_t at) {
    ThrowIfInterrupted();
    ComparedPair& pair = (*pairs)[static_cast<size_t>(at)];
    pair.common = CompareViews(views[pair.first], views[pair.second]);
  });
}

// At most so many of them, evenly from the first to the last.
template <typename T>
std::vector<T> Spread(const std::vector<T>& all, size_t most) {
  const size_t count = std::min(most, all.size());
  std::vector<T> some;
  for (size_t i = 0; i < count; ++i) {
    some.push_back(all[count < 2 ? 0 : i * (all.size() - 1) / (count - 1)]);
  }
  return some;
}

// The numbers of those pairs that look alike, the most alike first.
std::vector<size_t> ByLikeness(const std::vector<ViewPoints>& views,
                               const std::vector<ComparedPair>& pairs,
                               int threads) {
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
  return order;
}

// Those of `pairs` that hang all views together, if anything does, the most
// alike first; then some that could do no more for that. `known` hang together
// already where they do.
std::vector<ComparedPair> CompareAlike(const std::vector<ViewPoints>& views,
                                       const std::vector<ComparedPair>& pairs,
                                       const std::vector<ComparedPair>& known,
                                       int threads) {
  constexpr size_t kMostFailed = 300;
  constexpr size_t kMostFar = 60;
  Groups groups(views.size());
  for (const ComparedPair& pair : known) {
    if (HangTogether(pair.common)) groups.Join(pair.first, pair.second);
  }
  std::vector<ComparedPair> compared;
  std::vector<ComparedPair> spare;
  size_t failed = 0;
  for (const size_t k : ByLikeness(views, pairs, threads)) {
    ComparedPair pair = pairs[k];
    if (groups.Of(pair.first) == groups.Of(pair.second)) {
      pair.far = true;
      spare.push_back(pair);
      continue;
    }
    if (failed >= kMostFailed) continue;
    pair.common = CompareViews(views[pair.first], views[pair.second]);
    if (HangTogether(pair.common)) {
      groups.Join(pair.first, pair.second);
    } else {
      ++failed;
    }
    compared.push_back(pair);
  }
  // Spread over all likenesses, the least alike among them.
  std::vector<ComparedPair> far = Spread(spare, kMostFar);
  Compare(views, threads, &far);
  compared.insert(compared.end(), far.begin(), far.end());
  return compared;
}

// Views of a walk so far apart, at most `most` pairs of them.
std::vector<ComparedPair> PairsApart(const std::vector<size_t>& walk,
                                     size_t distance,
                                     size_t most) {
  std::vector<ComparedPair> pairs;
  if (distance >= walk.size()) return pairs;
  const size_t count = walk.size() - distance;
  const size_t step = (count + most - 1) / most;
  for (size_t i = 0; i < count; i += step) {
    pairs.push_back({walk[i], walk[i + distance]});
  }
  return pairs;
}

// All pairs of few photos. Of many, which were likely taken in their order,
// neighbours, and some at each of growing distances.
std::vector<ComparedPair> PairsOfPhotos(size_t count) {
  constexpr size_t kMostPairs = 4000;
  constexpr size_t kOfADistance = 100;
  if (count < 2) return {};
  const size_t reach =
      std::min(count, std::max<size_t>(12, kMostPairs / count));
  std::vector<ComparedPair> pairs;
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = i + 1; j < std::min(count, i + 1 + reach); ++j) {
      pairs.push_back({i, j});
    }
  }
  std::vector<size_t> all(count);
  std::iota(all.begin(), all.end(), size_t{0});
  for (size_t distance = 2 * reach; distance < count; distance *= 2) {
    const std::vector<ComparedPair> some =
        PairsApart(all, distance, kOfADistance);
    pairs.insert(pairs.end(), some.begin(), some.end());
  }
  return pairs;
}

// Of a clip, whose views `walk` numbers in their order.
std::vector<ComparedPair> PairsOfWalk(const std::vector<size_t>& walk) {
  constexpr size_t kEnds = 3;
  const size_t count = walk.size();
  std::vector<ComparedPair> pairs;
  for (size_t i = 0; i + 1 < count; ++i) {
    pairs.push_back({walk[i], walk[i + 1]});
    if (i + kStride < count) pairs.push_back({walk[i], walk[i + kStride]});
  }
  // The walk may go further than once round.
  for (size_t end = count - std::min(count, kEnds); end < count; ++end) {
    for (size_t i = 0; i + count / 2 + 1 < end; i += 2) {
      pairs.push_back({walk[i], walk[end]});
    }
  }
  return pairs;
}

// Views further and further apart, until what they share lies far apart.
std::vector<ComparedPair> CompareFurther(const std::vector<ViewPoints>& views,
                                         const std::vector<size_t>& walk,
                                         int threads) {
  constexpr double kFarEnough = 0.15;  // of the width
  constexpr size_t kOfADistance = 40;
  constexpr size_t kFewest = 4;
  std::vector<ComparedPair> further;
  for (size_t distance = 2 * kStride; distance < walk.size(); distance *= 2) {
    std::vector<ComparedPair> pairs = PairsApart(walk, distance, kOfADistance);
    Compare(views, threads, &pairs);
    std::vector<double> shifts;
    for (ComparedPair& pair : pairs) {
      pair.far = true;
      if (HangTogether(pair.common)) shifts.push_back(pair.common.shift);
    }
    further.insert(further.end(), pairs.begin(), pairs.end());
    if (shifts.size() < kFewest || UpperMedian(shifts) > kFarEnough) break;
  }
  return further;
}

// Some views of each clip with some of each other.
std::vector<ComparedPair> PairsOfClips(
    const std::vector<std::vector<size_t>>& walks) {
  const size_t most = std::clamp<size_t>(60 / walks.size(), 6, 24);
  std::vector<ComparedPair> pairs;
  for (size_t a = 0; a < walks.size(); ++a) {
    for (size_t b = a + 1; b < walks.size(); ++b) {
      for (const size_t i : Spread(walks[a], most)) {
        for (const size_t j : Spread(walks[b], most)) {
          pairs.push_back({std::min(i, j), std::max(i, j)});
        }
      }
    }
  }
  return pairs;
}

}  // namespace

bool HangTogether(const ViewPair& common) {
  return common.matches >= kEnoughMatches;
}

std::vector<ComparedPair> CompareCapture(const std::vector<ViewPoints>& views,
                                         const std::vector<std::string>& clips,
                                         int threads) {
  if (clips.empty()) {
    return CompareAlike(views, PairsOfPhotos(views.size()), {}, threads);
  }
  std::map<std::string, std::vector<size_t>> views_of;
  for (size_t i = 0; i < views.size(); ++i) views_of[clips[i]].push_back(i);
  std::vector<std::vector<size_t>> walks;
  for (const auto& [clip, walk] : views_of) walks.push_back(walk);
  std::vector<ComparedPair> pairs;
  const auto add = [&](const std::vector<ComparedPair>& more) {
    pairs.insert(pairs.end(), more.begin(), more.end());
  };
  for (const std::vector<size_t>& walk : walks) {
    std::vector<ComparedPair> of_walk = PairsOfWalk(walk);
    Compare(views, threads, &of_walk);
    add(of_walk);
    add(CompareFurther(views, walk, threads));
  }
  if (walks.size() > 1) {
    add(CompareAlike(views, PairsOfClips(walks), pairs, threads));
  }
  return pairs;
}

std::vector<std::vector<size_t>> Parts(size_t count,
                                       const std::vector<ComparedPair>& pairs) {
  Groups groups(count);
  for (const ComparedPair& pair : pairs) {
    if (!pair.far && HangTogether(pair.common)) {
      groups.Join(pair.first, pair.second);
    }
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

}  // namespace nerfpipe
