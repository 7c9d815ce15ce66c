#pragma once

// Names of files are bytes, the texts of JSON are UTF-8.

#include <string>
#include <string_view>

namespace nerfpipe {

// `bytes` as UTF-8: each byte that is none becomes a character of the private
// use area (U+EF80 to U+EFFF). What is UTF-8 stays as it is.
std::string ToJsonText(std::string_view bytes);

// The bytes again.
std::string FromJsonText(std::string_view text);

// As text that nobody turns into names again: what is no UTF-8 is replaced.
template <typename Json>
std::string JsonForPeople(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nerfpipe
