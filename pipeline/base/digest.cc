#include "pipeline/base/digest.h"

#include "pipeline/base/atomic_file.h"

#include <cstdio>

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
  XXH3_state_t hash;
  XXH3_128bits_reset(&hash);
  ReadInParts(path, [&](std::string_view part) {
    XXH3_128bits_update(&hash, part.data(), part.size());
  });
  return Hex(XXH3_128bits_digest(&hash));
}

}  // namespace nerfpipe
