#include "pipeline/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iterator>
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

struct Range {
  uint32_t first;
  uint32_t last;
};

bool IsIn(const Range* ranges, size_t count, uint32_t letter) {
  return std::any_of(ranges, ranges + count, [letter](const Range& range) {
    return letter >= range.first && letter <= range.last;
  });
}

// The blocks that terminals show two columns wide.
constexpr Range kWide[] = {{0x1100, 0x115f},
                           {0x2e80, 0x303e},
                           {0x3041, 0xa4cf},
                           {0xac00, 0xd7a3},
                           {0xf900, 0xfaff},
                           {0xfe30, 0xfe6f},
                           {0xff01, 0xff60},
                           {0xffe0, 0xffe6},
                           {0x1f300, 0x1f64f},
                           {0x1f680, 0x1f6ff},
                           {0x1f900, 0x1f9ff},
                           {0x20000, 0x3fffd}};
// What is drawn over the letter before, or not at all.
constexpr Range kNoWidth[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};

size_t ColumnsOf(uint32_t letter) {
  if (IsIn(kNoWidth, std::size(kNoWidth), letter)) {
    return 0;
  }
  return IsIn(kWide, std::size(kWide), letter) ? 2 : 1;
}

}  // namespace

size_t Columns(std::string_view text) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    // The bits of the letter that the first byte holds; the others hold six.
    uint32_t letter = lead < 0xc0   ? lead
                      : lead < 0xe0 ? lead & 0x1f
                      : lead < 0xf0 ? lead & 0x0f
                                    : lead & 0x07;
    while (i < text.size() && (text[i] & 0xc0) == 0x80) {
      letter = letter << 6 | static_cast<uint32_t>(text[i++] & 0x3f);
    }
    columns += ColumnsOf(letter);
  }
  return columns;
}

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
