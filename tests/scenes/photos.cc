#include "tests/scenes/photos.h"

#include "stages/media/jpeg.h"
#include "tests/scenes/orientations.h"
#include "tests/stages/media/test_pictures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

// After <cstdio>, which it needs.
#include <jpeglib.h>

namespace nerfpipe {
namespace {

std::string BigEndian(uint32_t value, int bytes = 4) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) {
    text += static_cast<char>(value >> 8 * i & 255);
  }
  return text;
}

std::string LittleEndian(uint32_t value, int bytes) {
  std::string text = BigEndian(value, bytes);
  std::reverse(text.begin(), text.end());
  return text;
}

// RFC 2083, 15.
uint32_t Crc(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

std::string Chunk(const std::string& kind, const std::string& data) {
  return BigEndian(static_cast<uint32_t>(data.size())) + kind + data +
         BigEndian(Crc(kind + data));
}

// One stored block (RFC 1950, RFC 1951): below 64 KiB.
std::string Deflated(const std::string& data) {
  uint32_t a = 1;
  uint32_t b = 0;
  for (const char byte : data) {
    a = (a + static_cast<uint8_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  const auto size = static_cast<uint32_t>(data.size());
  return "\x78\x01\x01" + LittleEndian(size, 2) + LittleEndian(~size, 2) +
         data + BigEndian(b << 16 | a);
}

std::string Entry(uint32_t tag, uint32_t type, uint32_t value) {
  constexpr uint32_t kShort = 3;
  return BigEndian(tag, 2) + BigEndian(type, 2) + BigEndian(1) +
         (type == kShort ? BigEndian(value, 2) + BigEndian(0, 2)
                         : BigEndian(value));
}

}  // namespace

std::string ExifStructure(int orientation, int focal) {
  constexpr uint32_t kSecond = 8 + 2 + 2 * 12 + 4;
  return std::string("MM\0*", 4) + BigEndian(8) + BigEndian(2, 2) +
         Entry(0x0112, 3, static_cast<uint32_t>(orientation)) +
         Entry(0x8769, 4, kSecond) + BigEndian(0) + BigEndian(1, 2) +
         Entry(0xa405, 3, static_cast<uint32_t>(focal)) + BigEndian(0);
}

std::string WithExif(const std::string& jpeg, int orientation, int focal) {
  const std::string exif =
      std::string("Exif\0\0", 6) + ExifStructure(orientation, focal);
  return jpeg.substr(0, 2) + "\xff\xe1" +
         BigEndian(static_cast<uint32_t>(exif.size() + 2), 2) + exif +
         jpeg.substr(2);
}

std::vector<MixedPhoto> WriteMixedPhotos(const std::filesystem::path& folder,
                                         bool most_lie) {
  const double film = std::hypot(36.0, 24.0);
  std::filesystem::create_directories(folder);
  std::vector<MixedPhoto> photos;
  for (int i = 0; i < 8; ++i) {
    MixedPhoto photo;
    photo.name = "IMG_" + std::to_string(9 + i) + ".jpg";
    photo.orientation = 1 + i;
    // 2, 6 and 8, or 3, 5 and 7 are shown the other way than most.
    const bool fewer =
        most_lie ? i == 1 || i == 5 || i == 7 : i == 2 || i == 4 || i == 6;
    photo.upright = fewer == most_lie ? TestPicture(71, 104, 37 * i, 11 * i)
                                      : TestPicture(104, 71, 37 * i, 11 * i);
    const int focal = 21 + 4 * i;
    photo.focal = focal / film;
    std::ofstream(folder / photo.name, std::ios::binary)
        << WithExif(EncodeJpeg(AsStored(photo.upright, photo.orientation), 98),
                    photo.orientation,
                    focal);
    photos.push_back(photo);
  }
  return photos;
}

std::string MakePng(const PngSpec& spec) {
  const size_t row = spec.rows.size() / static_cast<size_t>(spec.height);
  std::string filtered;
  for (size_t y = 0; y < static_cast<size_t>(spec.height); ++y) {
    filtered += '\0' + spec.rows.substr(y * row, row);
  }
  const std::string head = BigEndian(static_cast<uint32_t>(spec.width)) +
                           BigEndian(static_cast<uint32_t>(spec.height)) +
                           BigEndian(static_cast<uint32_t>(spec.bits), 1) +
                           BigEndian(static_cast<uint32_t>(spec.colour), 1) +
                           std::string(3, '\0');
  return "\x89PNG\r\n\x1a\n" + Chunk("IHDR", head) +
         (spec.palette.empty() ? "" : Chunk("PLTE", spec.palette)) +
         Chunk("IDAT", Deflated(filtered)) +
         (spec.exif.empty() ? "" : Chunk("eXIf", spec.exif)) +
         Chunk("IEND", "");
}

std::string MakeTiff(const Image& stored, int orientation) {
  const auto width = static_cast<uint32_t>(stored.width);
  const auto height = static_cast<uint32_t>(stored.height);
  constexpr uint32_t kEntries = 9;
  constexpr uint32_t kBits = 8 + 2 + 12 * kEntries + 4;
  constexpr uint32_t kPixels = kBits + 6;
  std::string bits =
      BigEndian(0x0102, 2) + BigEndian(3, 2) + BigEndian(3) + BigEndian(kBits);
  return std::string("MM\0*", 4) + BigEndian(8) + BigEndian(kEntries, 2) +
         Entry(0x0100, 4, width) + Entry(0x0101, 4, height) + bits +
         Entry(0x0106, 3, 2) + Entry(0x0111, 4, kPixels) +
         Entry(0x0112, 3, static_cast<uint32_t>(orientation)) +
         Entry(0x0115, 3, 3) + Entry(0x0116, 4, height) +
         Entry(0x0117, 4, 3 * width * height) + BigEndian(0) + BigEndian(8, 2) +
         BigEndian(8, 2) + BigEndian(8, 2) +
         std::string(stored.pixels.begin(), stored.pixels.end());
}

std::string MakeCmykJpeg(int width,
                         int height,
                         const uint8_t (&cmyk)[4],
                         bool adobe) {
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 4;
  info.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  info.write_Adobe_marker = adobe ? TRUE : FALSE;
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> row;
  for (int i = 0; i < 4 * width; ++i) {
    row.push_back(adobe ? static_cast<uint8_t>(255 - cmyk[i % 4])
                        : cmyk[i % 4]);
  }
  uint8_t* rows = row.data();
  for (int y = 0; y < height; ++y) jpeg_write_scanlines(&info, &rows, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  std::free(buffer);
  return bytes;
}

}  // namespace nerfpipe
