#pragma once

// 128-bit digests (XXH3) of bytes and files, written as 32 hex digits. For
// telling whether something changed, not for security.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace nerfpipe {

std::string DigestOf(std::string_view bytes);

// Reads the file in pieces. Throws UserError when it cannot be read.
std::string DigestOfFile(const std::filesystem::path& path);

// Digest of a sequence of fields; each field's length goes in too, so that
// ("ab", "c") and ("a", "bc") differ.
class DigestBuilder {
 public:
  DigestBuilder();
  ~DigestBuilder();
  DigestBuilder& Add(std::string_view field);
  std::string Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nerfpipe
