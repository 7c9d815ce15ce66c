#include "stages/nerf/splat_files/gzip.h"

#include "pipeline/base/error.h"
#include "stages/nerf/splat_files/file_bytes.h"

#include <algorithm>
#include <memory>

#include <zlib.h>

namespace nerfpipe::splats {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;  // not zlib's own header
constexpr size_t kPiece = size_t{1} << 18;
constexpr size_t kMostInput = size_t{1} << 30;  // zlib counts in 32 bits

// Gives the next part of `rest` to a stream that has used up the last one.
void Feed(std::string_view* rest, z_stream* stream) {
  if (stream->avail_in > 0) return;
  const std::string_view part = rest->substr(0, kMostInput);
  // zlib does not write to its input.
  stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
  stream->avail_in = static_cast<uInt>(part.size());
  rest->remove_prefix(part.size());
}

}  // namespace

std::string Gzipped(std::string_view bytes) {
  z_stream stream = {};
  // What is quantised repeats itself in runs alone: looking for more takes ten
  // times as long and gains nothing.
  NERFPIPE_CHECK(deflateInit2(&stream,
                              Z_DEFAULT_COMPRESSION,
                              Z_DEFLATED,
                              kGzip,
                              MAX_MEM_LEVEL,
                              Z_RLE) == Z_OK);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, deflateEnd);
  std::string out;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    Feed(&bytes, &stream);
    const size_t size = out.size();
    out.resize(size + kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.avail_out = kPiece;
    state = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    NERFPIPE_CHECK(state == Z_OK || state == Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
  }
  return out;
}

std::string Gunzipped(std::string_view bytes,
                      size_t most,
                      const std::string& name) {
  z_stream stream = {};
  NERFPIPE_CHECK(inflateInit2(&stream, kGzip) == Z_OK);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::string out;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    Feed(&bytes, &stream);
    // One byte more than allowed tells that there are more.
    const size_t size = out.size();
    const size_t piece = std::min(kPiece, most + 1 - size);
    out.resize(size + piece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.avail_out = static_cast<uInt>(piece);
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (state == Z_BUF_ERROR) FailRead(name, "is cut short");
    if (state != Z_OK && state != Z_STREAM_END) {
      FailRead(name, "is damaged: its gzip data cannot be unpacked");
    }
    if (out.size() > most) {
      FailRead(name,
               "unpacks to more than " + std::to_string(most) +
                   " bytes, which no scene of its size does");
    }
  }
  if (stream.avail_in > 0 || !bytes.empty()) {
    FailRead(name, "goes on after its end");
  }
  return out;
}

}  // namespace nerfpipe::splats
