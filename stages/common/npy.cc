#include "stages/common/npy.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

namespace nerfpipe {
namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are copied as they are in memory");

constexpr std::string_view kMagic("\x93NUMPY", 6);
// numpy pads the header so that the data starts at a multiple of this.
constexpr size_t kAlignment = 64;
constexpr size_t kMaxDimensions = 32;

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

[[noreturn]] void Fail(const std::string& file, const std::string& what) {
  throw UserError(file + ": " + what,
                  "save the array again with numpy.save as C-ordered "
                  "float64 or float32");
}

// The header is a Python dictionary of three known keys, in any order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  // Nothing when the text is anything else.
  std::optional<Header> Parse() {
    Header header;
    bool descr = false, order = false, shape = false;
    if (!Accept("{")) return std::nullopt;
    while (!Accept("}")) {
      const std::optional<std::string> key = Text();
      if (!key || !Accept(":")) return std::nullopt;
      if (*key == "descr" && !descr) {
        const std::optional<std::string> value = Text();
        if (!value) return std::nullopt;
        header.descr = *value;
        descr = true;
      } else if (*key == "fortran_order" && !order) {
        header.fortran_order = Accept("True");
        if (!header.fortran_order && !Accept("False")) return std::nullopt;
        order = true;
      } else if (*key == "shape" && !shape) {
        if (!Shape(&header.shape)) return std::nullopt;
        shape = true;
      } else {
        return std::nullopt;
      }
      if (!Accept(",") && rest_.substr(0, 1) != "}") return std::nullopt;
      SkipBlanks();
    }
    SkipBlanks();
    const bool complete = descr && order && shape;
    return complete && rest_.empty() ? std::optional(header) : std::nullopt;
  }

 private:
  void SkipBlanks() {
    const size_t start = rest_.find_first_not_of(" \n");
    rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
  }

  bool Accept(std::string_view token) {
    SkipBlanks();
    if (rest_.substr(0, token.size()) != token) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<std::string> Text() {
    SkipBlanks();
    const char quote = rest_.empty() ? ' ' : rest_.front();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool Shape(std::vector<int64_t>* shape) {
    if (!Accept("(")) return false;
    bool comma = true;
    while (!Accept(")")) {
      int64_t size = 0;
      const auto [end, error] =
          std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (!comma || error != std::errc() || size < 0 ||
          shape->size() >= kMaxDimensions) {
        return false;
      }
      rest_.remove_prefix(end - rest_.data());
      shape->push_back(size);
      comma = Accept(",");
    }
    // "(3)" is a number in Python, not a tuple.
    return shape->size() != 1 || comma;
  }

  std::string_view rest_;
};

// Splits off the header text; `bytes` is left at the data.
std::string_view TakeHeader(std::string_view* bytes, const std::string& file) {
  if (bytes->substr(0, kMagic.size()) != kMagic || bytes->size() < 10) {
    Fail(file, "is no .npy file");
  }
  const int version = static_cast<uint8_t>((*bytes)[6]);
  if (version < 1 || version > 3 || (*bytes)[7] != 0) {
    Fail(file, "has an unknown version of the .npy format");
  }
  const size_t length_size = version == 1 ? 2 : 4;
  const size_t start = 8 + length_size;
  uint32_t length = 0;
  if (bytes->size() < start) Fail(file, "ends in its header");
  std::memcpy(&length, bytes->data() + 8, length_size);
  if (bytes->size() - start < length) Fail(file, "ends in its header");
  const std::string_view header = bytes->substr(start, length);
  bytes->remove_prefix(start + length);
  return header;
}

// Number of elements, when `count * element_size` is what is there.
size_t CountElements(const std::vector<int64_t>& shape,
                     size_t element_size,
                     size_t size,
                     const std::string& file) {
  size_t count = 1;
  for (const int64_t side : shape) {
    const size_t n = static_cast<size_t>(side);
    if (n != 0 && count > std::numeric_limits<size_t>::max() / n) {
      Fail(file, "announces more elements than any file can hold");
    }
    count *= n;
  }
  if (size % element_size != 0 || count != size / element_size) {
    Fail(file,
         "announces " + std::to_string(count) + " elements of " +
             std::to_string(element_size) + " bytes but holds " +
             std::to_string(size) + " bytes of data");
  }
  return count;
}

}  // namespace

NpyArray ParseNpy(std::string_view bytes, const std::string& file) {
  const std::string_view text = TakeHeader(&bytes, file);
  const std::optional<Header> header = HeaderParser(text).Parse();
  if (!header) Fail(file, "has a header that makes no sense");
  if (header->descr != "<f8" && header->descr != "<f4") {
    Fail(file, "holds elements of type '" + header->descr.substr(0, 20) + "'");
  }
  if (header->fortran_order) Fail(file, "is stored in Fortran order");

  NpyArray array;
  array.shape = header->shape;
  const bool wide = header->descr == "<f8";
  const size_t element_size = wide ? sizeof(double) : sizeof(float);
  const size_t count =
      CountElements(array.shape, element_size, bytes.size(), file);
  array.values.resize(count);
  for (size_t i = 0; i < count; ++i) {
    if (wide) {
      std::memcpy(&array.values[i], bytes.data() + 8 * i, sizeof(double));
    } else {
      float value;
      std::memcpy(&value, bytes.data() + 4 * i, sizeof(float));
      array.values[i] = value;
    }
  }
  return array;
}

NpyArray ReadNpy(const std::filesystem::path& path) {
  return ParseNpy(ReadFile(path), path.string());
}

std::string NpyBytes(const NpyArray& array, NpyType type) {
  size_t count = 1;
  std::string shape;
  for (const int64_t side : array.shape) {
    NERFPIPE_CHECK(side >= 0);
    count *= static_cast<size_t>(side);
    shape += (shape.empty() ? "" : ", ") + std::to_string(side);
  }
  NERFPIPE_CHECK(count == array.values.size());
  if (array.shape.size() == 1) shape += ",";

  const bool wide = type == NpyType::kFloat64;
  std::string header = std::string("{'descr': '") + (wide ? "<f8" : "<f4") +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const size_t prefix = kMagic.size() + 4;
  const size_t used = prefix + header.size() + 1;
  header.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  header.push_back('\n');
  NERFPIPE_CHECK(header.size() <= std::numeric_limits<uint16_t>::max());

  std::string out(kMagic);
  out.append({1,
              0,
              static_cast<char>(header.size() & 0xff),
              static_cast<char>(header.size() >> 8)});
  out += header;
  for (const double value : array.values) {
    const float narrow = static_cast<float>(value);
    out.append(wide ? reinterpret_cast<const char*>(&value)
                    : reinterpret_cast<const char*>(&narrow),
               wide ? sizeof(value) : sizeof(narrow));
  }
  return out;
}

void WriteNpy(const NpyArray& array,
              const std::filesystem::path& path,
              NpyType type) {
  WriteFileAtomically(path, NpyBytes(array, type));
}

}  // namespace nerfpipe
