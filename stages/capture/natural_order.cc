#include "stages/capture/natural_order.h"

#include <cctype>
#include <cstddef>

namespace nerfpipe {

bool NaturalLess(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto rank = [](char c) {
    return c == '/' ? 0 : std::tolower(static_cast<unsigned char>(c));
  };
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      while (i < a.size() && a[i] == '0') ++i;
      while (j < b.size() && b[j] == '0') ++j;
      const size_t a_start = i;
      const size_t b_start = j;
      while (i < a.size() && is_digit(a[i])) ++i;
      while (j < b.size() && is_digit(b[j])) ++j;
      const std::string_view x = a.substr(a_start, i - a_start);
      const std::string_view y = b.substr(b_start, j - b_start);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (rank(a[i]) != rank(b[j])) return rank(a[i]) < rank(b[j]);
      ++i;
      ++j;
    }
  }
  if ((i < a.size()) != (j < b.size())) return j < b.size();
  return a < b;  // equal but for case and leading zeros
}

}  // namespace nerfpipe
