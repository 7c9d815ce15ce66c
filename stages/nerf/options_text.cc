#include "stages/nerf/options_text.h"

#include <iomanip>
#include <limits>
#include <locale>
#include <map>
#include <sstream>
#include <type_traits>

namespace nerfpipe::nerf {
namespace {

template <typename O, typename F>
void VisitNgp(O& o, F&& f) {
  f("levels", o.levels);
  f("features", o.features);
  f("base_resolution", o.base_resolution);
  f("finest_resolution", o.finest_resolution);
  f("log2_table", o.log2_table);
  f("hidden", o.hidden);
  f("geometry", o.geometry);
  f("batch_samples", o.batch_samples);
  f("max_rays", o.max_rays);
  f("min_weight", o.min_weight);
  f("roulette", o.roulette);
  f("stop_transmittance", o.stop_transmittance);
  f("learning_rate", o.learning_rate);
  f("constant_part", o.constant_part);
  f("final_rate", o.final_rate);
  f("beta1", o.beta1);
  f("beta2", o.beta2);
  f("table_beta2", o.table_beta2);
  f("epsilon", o.epsilon);
  f("weight_decay", o.weight_decay);
  f("loss", o.loss);
  f("distortion", o.distortion);
  f("free_space", o.free_space);
  f("random_background", o.random_background);
  f("fused", o.fused);
  f("bfloat16", o.bfloat16);
  f("grid_resolution", o.grid_resolution);
  f("grid_every", o.grid_every);
  f("grid_warmup", o.grid_warmup);
  f("grid_decay", o.grid_decay);
  f("grid_threshold", o.grid_threshold);
  f("grid_refine_every", o.grid_refine_every);
  f("step", o.step);
  f("cone", o.cone);
  f("far", o.far);
}

template <typename O, typename F>
void VisitNerf(O& o, F&& f) {
  f("N_rand", o.N_rand);
  f("N_samples", o.N_samples);
  f("N_importance", o.N_importance);
  f("netdepth", o.netdepth);
  f("netwidth", o.netwidth);
  f("netdepth_fine", o.netdepth_fine);
  f("netwidth_fine", o.netwidth_fine);
  f("multires", o.multires);
  f("multires_views", o.multires_views);
  f("i_embed", o.i_embed);
  f("use_viewdirs", o.use_viewdirs);
  f("raw_noise_std", o.raw_noise_std);
  f("perturb", o.perturb);
  f("lrate", o.lrate);
  f("lrate_decay", o.lrate_decay);
  f("white_bkgd", o.white_bkgd);
  f("lindisp", o.lindisp);
  f("no_ndc", o.no_ndc);
  f("no_batching", o.no_batching);
  f("precrop_iters", o.precrop_iters);
  f("precrop_frac", o.precrop_frac);
  f("chunk", o.chunk);
  f("netchunk", o.netchunk);
  f("integer_pixels", o.integer_pixels);
}

// Calls f(full name, field) for every option that shapes a run.
template <typename O, typename F>
void Visit(O& options, F&& f) {
  f("train.method", options.train.method);
  f("train.steps", options.train.steps);
  f("train.seed", options.train.seed);
  if (options.train.method == "ngp") {
    VisitNgp(options.ngp, [&](const char* name, auto& field) {
      f(std::string("ngp.") + name, field);
    });
  }
  if (options.train.method == "nerf") {
    VisitNerf(options.nerf, [&](const char* name, auto& field) {
      f(std::string("nerf.") + name, field);
    });
  }
}

std::map<std::string, std::string> Lines(const std::string& text) {
  std::map<std::string, std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const size_t equals = line.find('=');
    if (equals != std::string::npos) {
      lines[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  return lines;
}

}  // namespace

std::string OptionsText(const Options& options) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << std::setprecision(std::numeric_limits<double>::max_digits10);
  Visit(options, [&](const std::string& name, const auto& field) {
    out << name << "=" << field << "\n";
  });
  return out.str();
}

Options OptionsFromText(const std::string& text) {
  const auto lines = Lines(text);
  Options options;
  Visit(options, [&](const std::string& name, auto& field) {
    const auto found = lines.find(name);
    if (found == lines.end()) {
      return;
    }
    using Field = std::decay_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, std::string>) {
      field = found->second;
    } else {
      std::istringstream in(found->second);
      in.imbue(std::locale::classic());
      in >> field;
    }
  });
  return options;
}

std::string FirstDifference(const std::string& stored,
                            const std::string& here) {
  const auto a = Lines(stored);
  const auto b = Lines(here);
  const auto value = [](const auto& lines, const std::string& name) {
    const auto found = lines.find(name);
    return found == lines.end() ? std::string("nothing") : found->second;
  };
  for (const auto& [name, text] : b) {
    if (value(a, name) != text) {
      return name + " (" + value(a, name) + ", here " + text + ")";
    }
  }
  for (const auto& [name, text] : a) {
    if (b.count(name) == 0) {
      return name + " (" + text + ", here nothing)";
    }
  }
  return "";
}

}  // namespace nerfpipe::nerf
