#include "stages/nerf/methods.h"

#include "pipeline/base/error.h"
#include "stages/nerf/nerf_method.h"
#include "stages/nerf/ngp_method.h"
#include "stages/nerf/ngp_settings.h"

#ifdef NERFPIPE_HIGHWAY_KERNELS
#include "stages/nerf/splat/splat_method.h"
#include "stages/nerf/splat/splat_settings.h"
#endif

namespace nerfpipe::nerf {
namespace {

template <typename M>
std::unique_ptr<Method> Make(const MethodContext& context) {
  return std::make_unique<M>(context);
}

bool Never(const Options&) { return false; }

bool NerfWantsNdc(const Options& options) { return !options.nerf.no_ndc; }

void SettleNgpRun(Options* options, const RunFacts& facts) {
  SettleNgp(options, facts);
}

void KeepNgpShape(Options* options, const Options& earlier) {
  const auto take = [&](auto NgpOptions::*number) {
    if (options->ngp.*number == 0) options->ngp.*number = earlier.ngp.*number;
  };
  take(&NgpOptions::log2_table);
  take(&NgpOptions::finest_resolution);
  take(&NgpOptions::step);
  take(&NgpOptions::cone);
}

void SettleNothing(Options*, const RunFacts&) {}

void KeepNothing(Options*, const Options&) {}

#ifdef NERFPIPE_HIGHWAY_KERNELS

void SettleSplatRun(Options* options, const RunFacts& facts) {
  splat::SettleSplat(options, facts.pixels);
}

std::unique_ptr<Method> MakeSplat(const MethodContext& context) {
  return Make<splat::SplatMethod>(context);
}

#else

void SettleSplatRun(Options*, const RunFacts&) {}

std::unique_ptr<Method> MakeSplat(const MethodContext&) {
  throw UserError(
      "this nerfpipe was built without Highway, which `splat` needs",
      "install libhwy-dev and build again, or use "
      "train.method=ngp");
}

#endif

void KeepSplatShape(Options* options, const Options& earlier) {
  if (options->splat.count == 0) options->splat.count = earlier.splat.count;
}

}  // namespace

const std::vector<MethodEntry>& Methods() {
  static const std::vector<MethodEntry> table = {
      {"ngp",
       /*uses_gpu=*/true,
       &Never,
       &SettleNgpRun,
       &KeepNgpShape,
       &SettleEarlierNgp,
       &Make<NgpMethod>},
      {"nerf",
       /*uses_gpu=*/true,
       &NerfWantsNdc,
       &SettleNothing,
       &KeepNothing,
       nullptr,
       &Make<NerfMethod>},
      {"splat",
       /*uses_gpu=*/false,
       &Never,
       &SettleSplatRun,
       &KeepSplatShape,
       nullptr,
       &MakeSplat},
  };
  return table;
}

const MethodEntry& FindMethod(const std::string& name) {
  std::string names;
  for (const MethodEntry& entry : Methods()) {
    if (entry.name == name) {
      return entry;
    }
    names += (names.empty() ? "" : ", ") + entry.name;
  }
  throw UserError("there is no method '" + name + "'",
                  "set train.method to one of: " + names);
}

}  // namespace nerfpipe::nerf
