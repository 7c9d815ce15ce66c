#include "stages/media/image_header.h"

#include "stages/media/exif.h"
#include "stages/media/header_bytes.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace nerfpipe {
namespace {

void Take(const ExifFacts& exif, ImageHeader* header) {
  header->orientation = exif.orientation;
  header->focal = exif.focal;
}

void ParseJpeg(std::string_view data, ImageHeader* header) {
  const HeaderBytes bytes(data);
  size_t at = 2;
  while (bytes.Has(at, 4)) {
    if (bytes.U8(at) != 0xff) return;
    const uint32_t marker = bytes.U8(at + 1);
    if (marker == 0xff) {  // padding
      ++at;
      continue;
    }
    const size_t length = bytes.U16(at + 2);
    if (length < 2) return;
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
                       marker != 0xc8 && marker != 0xcc;
    if (frame && bytes.Has(at, 10)) {
      header->bits = static_cast<int>(bytes.U8(at + 4));
      header->height = static_cast<int>(bytes.U16(at + 5));
      header->width = static_cast<int>(bytes.U16(at + 7));
      header->channels = static_cast<int>(bytes.U8(at + 9));
      return;  // the EXIF segment stands before the frame header
    }
    if (marker == 0xe1 && bytes.Text(at + 4, 4) == "Exif") {
      Take(ParseExif(bytes.From(at + 4, length - 2)), header);
    }
    if (marker == 0xda || marker == 0xd9) return;
    at += 2 + length;
  }
}

void ParsePng(std::string_view data, ImageHeader* header) {
  const HeaderBytes bytes(data);
  size_t at = 8;
  while (bytes.Has(at, 12)) {
    const size_t length = bytes.U32(at);
    const std::string_view kind = bytes.Text(at + 4, 4);
    if (kind == "IHDR" && bytes.Has(at, 25)) {
      header->width = static_cast<int>(bytes.U32(at + 8));
      header->height = static_cast<int>(bytes.U32(at + 12));
      header->bits = static_cast<int>(bytes.U8(at + 16));
      constexpr int kChannels[] = {1, 0, 3, 0, 2, 0, 4};
      const uint32_t color = bytes.U8(at + 17);
      header->channels = color <= 6 ? kChannels[color] : 0;
    } else if (kind == "eXIf") {
      Take(ParseExif(bytes.From(at + 8, length)), header);
    } else if (kind == "IEND") {
      return;
    }
    at += 12 + length;
  }
}

// RFC 9649, 2.5 to 2.7; RFC 6386, 9.1.
void ParseWebp(std::string_view data, ImageHeader* header) {
  const HeaderBytes bytes(data, /*little_endian=*/true);
  const auto set_size = [&](uint32_t width, uint32_t height) {
    if (header->width > 0) return;  // what stands first counts
    header->width = static_cast<int>(width);
    header->height = static_cast<int>(height);
  };
  size_t at = 12;
  while (bytes.Has(at, 8)) {
    const size_t length = bytes.U32(at + 4);
    const std::string_view kind = bytes.Text(at, 4);
    const size_t body = at + 8;
    if (kind == "EXIF") {
      Take(ParseExif(bytes.From(body, length)), header);
    } else if (kind == "VP8X" && bytes.Has(body, 10)) {
      constexpr uint32_t kAnimation = 0x02;
      header->animated = (bytes.U8(body) & kAnimation) != 0;
      set_size((bytes.U32(body + 4) & 0xffffff) + 1,
               (bytes.U32(body + 6) >> 8) + 1);
    } else if (kind == "VP8 " && bytes.Has(body, 10)) {
      set_size(bytes.U16(body + 6) & 0x3fff, bytes.U16(body + 8) & 0x3fff);
    } else if (kind == "VP8L" && bytes.Has(body, 5)) {
      const uint32_t sides = bytes.U32(body + 1);
      set_size((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1);
    }
    at += 8 + length + length % 2;
  }
}

bool IsHeifBrand(std::string_view brand) {
  for (const char* known : {"heic",
                            "heix",
                            "hevc",
                            "heim",
                            "heis",
                            "mif1",
                            "msf1",
                            "avif",
                            "avis"}) {
    if (brand == known) return true;
  }
  return false;
}

}  // namespace

ImageHeader ParseImageHeader(std::string_view bytes) {
  using Format = ImageHeader::Format;
  ImageHeader header;
  if (bytes.substr(0, 3) == "\xff\xd8\xff") {
    header.format = Format::kJpeg;
    ParseJpeg(bytes, &header);
  } else if (bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n") {
    header.format = Format::kPng;
    ParsePng(bytes, &header);
  } else if (bytes.substr(0, 4) == "RIFF" && bytes.size() >= 12 &&
             bytes.substr(8, 4) == "WEBP") {
    header.format = Format::kWebp;
    ParseWebp(bytes, &header);
  } else if (bytes.substr(0, 4) == std::string_view("II*\0", 4) ||
             bytes.substr(0, 4) == std::string_view("MM\0*", 4)) {
    header.format = Format::kTiff;
    const ExifFacts facts = ParseExif(bytes);
    header.width = facts.width;
    header.height = facts.height;
    header.focal = facts.focal;
    // The decoder applies the file's own orientation.
    if (facts.orientation >= 5) std::swap(header.width, header.height);
  } else if (bytes.substr(0, 2) == "BM") {
    header.format = Format::kBmp;
    const HeaderBytes sizes(bytes, /*little_endian=*/true);
    constexpr uint32_t kCoreHeader = 12;  // of OS/2, with shorter numbers
    if (sizes.U32(14) == kCoreHeader) {
      header.width = static_cast<int>(sizes.U16(18));
      header.height = static_cast<int>(sizes.U16(20));
    } else {
      header.width = static_cast<int>(sizes.U32(18));
      // Negative: the rows go from the top down.
      const int64_t height = static_cast<int32_t>(sizes.U32(22));
      header.height = static_cast<int>(height < 0 ? -height : height);
    }
  } else if (bytes.size() >= 12 && bytes.substr(4, 4) == "ftyp" &&
             IsHeifBrand(bytes.substr(8, 4))) {
    header.format = Format::kHeif;
  }
  return header;
}

}  // namespace nerfpipe
