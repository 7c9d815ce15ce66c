#include "pipeline/base/digest.h"

#include "pipeline/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace nerfpipe {
namespace {

std::string Hex(const XXH128_hash_t& hash) {
  char text[33];
  std::snprintf(text,
                sizeof(text),
                "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

}  // namespace

struct DigestBuilder::State {
  XXH3_state_t hash;
};

DigestBuilder::DigestBuilder() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->hash);
}

DigestBuilder::~DigestBuilder() = default;

DigestBuilder& DigestBuilder::Add(std::string_view field) {
  const uint64_t size = field.size();
  XXH3_128bits_update(&state_->hash, &size, sizeof(size));
  XXH3_128bits_update(&state_->hash, field.data(), field.size());
  return *this;
}

std::string DigestBuilder::Finish() const {
  return Hex(XXH3_128bits_digest(&state_->hash));
}

std::string DigestOf(std::string_view bytes) {
  return Hex(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string DigestOfFile(const std::filesystem::path& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(
      std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    throw UserError(
        "cannot read " + path.string() + " (" + std::strerror(errno) + ")",
        "check that it exists and that you may read it");
  }
  XXH3_state_t hash;
  XXH3_128bits_reset(&hash);
  std::vector<char> buffer(1 << 20);
  while (const size_t count =
             std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    XXH3_128bits_update(&hash, buffer.data(), count);
  }
  if (std::ferror(file.get())) {
    throw UserError("cannot read " + path.string() + " to its end",
                    "check the disk");
  }
  return Hex(XXH3_128bits_digest(&hash));
}

}  // namespace nerfpipe
