#pragma once

// High dynamic range (BT.2100, HLG or PQ) to the standard range of sRGB.

#include <cstdint>

namespace nerfpipe {

enum class HdrTransfer { kHlg, kPq };

// `count` pixels of 16-bit R'G'B' in BT.2020 primaries, 65535 being full
// signal, to 8-bit sRGB. Up to half of reference white (203 cd/m2, BT.2408)
// light is kept in proportion; above it, up to 1000 cd/m2 are compressed into
// the rest, equally in the three channels so that hues stay.
void ToneMap(HdrTransfer transfer,
             const uint16_t* bt2100,
             int64_t count,
             uint8_t* srgb);

}  // namespace nerfpipe
