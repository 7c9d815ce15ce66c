#include "pipeline/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

namespace nerfpipe {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Counted(int64_t count, std::string_view unit) {
  std::string text = std::to_string(count) + " ";
  return text.append(unit).append(count == 1 ? "" : "s");
}

std::string HumanDuration(double seconds) {
  char text[64];
  const long whole = std::lround(seconds);
  if (seconds < 9.95) {
    std::snprintf(text, sizeof(text), "%.1f s", seconds);
  } else if (whole < 60) {
    std::snprintf(text, sizeof(text), "%ld s", whole);
  } else if (whole < 3600) {
    std::snprintf(
        text, sizeof(text), "%ld min %02ld s", whole / 60, whole % 60);
  } else {
    std::snprintf(
        text, sizeof(text), "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
  }
  return text;
}

std::optional<double> ParseDuration(std::string_view text) {
  static const std::map<char, double> kUnits = {
      {'s', 1}, {'m', 60}, {'h', 3600}};
  double unit = 1;
  if (!text.empty() && kUnits.contains(text.back())) {
    unit = kUnits.at(text.back());
    text.remove_suffix(1);
  }
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || !(value > 0) ||
      !std::isfinite(value)) {
    return std::nullopt;
  }
  return unit * value;
}

std::optional<int64_t> ParseBytes(std::string_view text) {
  static const std::map<std::string_view, double> kUnits = {
      {"", 1},
      {"B", 1},
      {"k", 1e3},
      {"kB", 1e3},
      {"KiB", 1024.0},
      {"M", 1e6},
      {"MB", 1e6},
      {"MiB", 1024.0 * 1024},
      {"G", 1e9},
      {"GB", 1e9},
      {"GiB", 1024.0 * 1024 * 1024}};
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  const auto unit = kUnits.find(
      std::string_view(stopped, static_cast<size_t>(end - stopped)));
  // The largest that is exact as a double, and more than any machine has.
  constexpr double kMost = 9e15;
  if (error != std::errc() || unit == kUnits.end() ||
      !(value >= 0 && value * unit->second <= kMost)) {
    return std::nullopt;
  }
  return std::llround(value * unit->second);
}

std::string HumanBytes(int64_t bytes) {
  static const char* const kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text,
                sizeof(text),
                unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s",
                value,
                kUnits[unit]);
  return text;
}

std::string NearestWord(std::string_view word,
                        const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& candidates) {
  const std::string nearest = NearestWord(word, candidates);
  return nearest.empty() ? "" : ", did you mean '" + nearest + "'?";
}

}  // namespace nerfpipe
