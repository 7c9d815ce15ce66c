#pragma once

// Ownership and error texts for FFmpeg's structures, without its headers.

#include <memory>
#include <string>

struct AVCodecContext;
struct AVFilterGraph;
struct AVFormatContext;
struct AVFrame;
struct AVPacket;
struct SwsContext;

namespace nerfpipe::av {

struct Free {
  void operator()(AVCodecContext* context) const;
  void operator()(AVFilterGraph* graph) const;
  void operator()(AVFormatContext* input) const;  // one opened for reading
  void operator()(AVFrame* frame) const;
  void operator()(AVPacket* packet) const;
  void operator()(SwsContext* context) const;
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Owned<AVFrame> MakeFrame();
Owned<AVPacket> MakePacket();

// FFmpeg's words for one of its error codes.
std::string ErrorText(int code);

// Throws bad_alloc where `code` says that memory ran out, and MachineError
// where the system grants no thread.
void ThrowIfRefused(int code);

// FFmpeg prints nothing from here on: what matters is reported by exceptions
// and counts.
void Silence();

}  // namespace nerfpipe::av
