#pragma once

// Small text helpers for what people read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

// Columns that UTF-8 text takes on a terminal: two for an East Asian letter or
// a picture, none for an accent of its own.
size_t Columns(std::string_view text);

// "1 photo", "2 photos": `unit` with an s unless there is one.
std::string Counted(int64_t count, std::string_view unit);

// "0.4 s", "12 s", "3 min 05 s", "2 h 10 min".
std::string HumanDuration(double seconds);

// Seconds of "90", "90s", "5m" or "1.5h"; nothing for other texts.
std::optional<double> ParseDuration(std::string_view text);

// "812 B", "3.4 MB", "1.2 GB" (powers of 1000).
std::string HumanBytes(int64_t bytes);

// Bytes of "4G", "1.5GB", "800M" (powers of 1000), "2GiB" (powers of 1024) or
// "0"; nothing for other texts.
std::optional<int64_t> ParseBytes(std::string_view text);

// The candidate nearest to `word` by edit distance, or empty when none is
// near enough to be a likely typing error.
std::string NearestWord(std::string_view word,
                        const std::vector<std::string>& candidates);

// ", did you mean 'X'?" or nothing.
std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& candidates);

}  // namespace nerfpipe
