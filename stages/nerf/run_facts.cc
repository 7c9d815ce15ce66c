#include "stages/nerf/run_facts.h"

#include <algorithm>

namespace nerfpipe::nerf {

RunFacts FactsOfRun(const Dataset& dataset,
                    bool bounded,
                    torch::Device device) {
  RunFacts facts;
  facts.bounded = bounded;
  facts.device = device;
  for (const View& view : dataset.train) {
    const Camera& camera = view.camera;
    const int64_t pixels = int64_t{camera.width} * camera.height;
    facts.pixels = std::max(facts.pixels, pixels);
    facts.all_pixels += pixels;
    facts.pixel +=
        2 / (camera.fx + camera.fy) / static_cast<double>(dataset.train.size());
  }
  return facts;
}

}  // namespace nerfpipe::nerf
