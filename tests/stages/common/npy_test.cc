#include "stages/common/npy.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/random.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

const std::filesystem::path kReference = NERFPIPE_REFERENCE;

// As in tests/reference/llff_npy.py.
NpyArray Example() {
  NpyArray array{{2, 3}, {}};
  for (int i = 0; i < 6; ++i) array.values.push_back(i / 7.0 - 0.25);
  return array;
}

TEST(Npy, BytesEqualNumpys) {
  EXPECT_EQ(NpyBytes(Example()), ReadFile(kReference / "llff_npy_float64.npy"));
  NpyArray row = Example();
  row.shape = {3};
  row.values.resize(3);
  EXPECT_EQ(NpyBytes(row, NpyType::kFloat32),
            ReadFile(kReference / "llff_npy_float32.npy"));
}

TEST(Npy, ReadsWhatNumpyWrote) {
  const NpyArray wide = ReadNpy(kReference / "llff_npy_float64.npy");
  EXPECT_EQ(wide.shape, Example().shape);
  EXPECT_EQ(wide.values, Example().values);
  const NpyArray narrow = ReadNpy(kReference / "llff_npy_float32.npy");
  EXPECT_EQ(narrow.shape, std::vector<int64_t>{3});
  EXPECT_EQ(narrow.values[2], static_cast<float>(2 / 7.0 - 0.25));
}

TEST(Npy, EmptyShapesAreScalarsAndEmptyArrays) {
  EXPECT_EQ(ParseNpy(NpyBytes({{}, {4.5}}), "x").values,
            std::vector<double>{4.5});
  EXPECT_TRUE(ParseNpy(NpyBytes({{0, 17}, {}}), "x").values.empty());
}

// A file with the given header dictionary and 8 bytes of data.
std::string WithHeader(const std::string& header) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += {static_cast<char>(header.size()), '\0'};
  return bytes + header + std::string(8, '\0');
}

TEST(Npy, RefusesOtherArrays) {
  EXPECT_NO_THROW(ParseNpy(
      WithHeader("{\"shape\": (1,), 'descr': '<f8', 'fortran_order': False}"),
      "x"));
  for (const char* header : {
           "{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }",
           "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
           "{'descr': '<f8', 'fortran_order': True, 'shape': (1,), }",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1), }",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
           "{'descr': '<f8', 'fortran_order': False, "
           "'shape': (4294967296, 4294967296, 1), }",
           "{'descr': '<f8', 'shape': (1,), }",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), } 1",
       }) {
    EXPECT_THROW(ParseNpy(WithHeader(header), "x"), UserError) << header;
  }
}

// Version 1 gives the header's length in 2 bytes, 2 and 3 in 4. `text` is
// filled up with blanks, as numpy fills it.
std::string OfVersion(int version, std::string text, size_t length) {
  text.append(length - text.size() - 1, ' ').push_back('\n');
  std::string bytes("\x93NUMPY", 6);
  bytes += {static_cast<char>(version), '\0'};
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    bytes.push_back(static_cast<char>(length >> 8 * i & 0xff));
  }
  return bytes + text;
}

template <typename T>
void Append(std::initializer_list<T> values, std::string* bytes) {
  for (const T value : values) {
    bytes->append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
}

TEST(Npy, ReadsEveryVersionOfTheFormat) {
  const char* const header =
      "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }";
  for (const auto& [version, length] : std::vector<std::pair<int, size_t>>{
           {1, 118}, {1, 54000}, {2, 116}, {2, 70000}, {3, 70000}}) {
    std::string bytes = OfVersion(version, header, length);
    Append({-1.5, 1e300, 0.1}, &bytes);
    EXPECT_EQ(ParseNpy(bytes, "x").values,
              (std::vector<double>{-1.5, 1e300, 0.1}))
        << version << ", " << length;
  }
  std::string bytes = OfVersion(1, header, 118);
  Append({1.0, 2.0, 3.0}, &bytes);
  for (const auto& [major, minor] : {std::pair(0, 0), {4, 0}, {1, 1}}) {
    bytes[6] = static_cast<char>(major);
    bytes[7] = static_cast<char>(minor);
    EXPECT_THROW(ParseNpy(bytes, "x"), UserError) << major << "." << minor;
  }
}

TEST(Npy, KeysComeInAnyOrderAndInEitherKindOfQuotes) {
  for (const char* header : {
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }",
           "{'fortran_order': False, 'shape': (2, 1), 'descr': '<f4'}",
           "{\"shape\":(2,1),\"descr\":\"<f4\",\"fortran_order\":False,}",
           "{'shape': (2, 1, ), 'fortran_order': False, 'descr': '<f4'}",
       }) {
    std::string bytes = OfVersion(1, header, 118);
    Append({0.1f, -7.25f}, &bytes);
    const NpyArray array = ParseNpy(bytes, "x");
    EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 1})) << header;
    EXPECT_EQ(array.values, (std::vector<double>{0.1f, -7.25})) << header;
  }
}

TEST(Npy, SaysWhatIsWrong) {
  const auto failure = [](const std::string& bytes) -> std::string {
    try {
      ParseNpy(bytes, "poses.npy");
    } catch (const UserError& error) {
      return error.what();
    }
    return "read without complaint";
  };
  const auto with = [](const char* descr, const char* order) {
    return WithHeader(std::string("{'descr': '") + descr +
                      "', 'fortran_order': " + order + ", 'shape': (1,), }");
  };
  using testing::HasSubstr;
  EXPECT_THAT(failure(with("<i8", "False")),
              HasSubstr("poses.npy: holds elements of type '<i8'"));
  EXPECT_THAT(failure(with("<f8", "True")), HasSubstr("Fortran order"));
  EXPECT_THAT(failure(with("<f4", "False")),
              HasSubstr("1 elements of 4 bytes but holds 8 bytes of data"));
  EXPECT_THAT(failure("PK and some more bytes"), HasSubstr("is no .npy file"));
  EXPECT_THAT(failure(with("<f8", "None")), HasSubstr("makes no sense"));
  EXPECT_THAT(failure(with("<f8", "False").substr(0, 40)),
              HasSubstr("ends in its header"));
}

TEST(Npy, LastIndexRunsFastestAndNothingIsRounded) {
  NpyArray array{{2, 1, 3}, {1, 2, 3, -0.1, 1e-310, 6}};
  const NpyArray same = ParseNpy(NpyBytes(array), "x");
  EXPECT_EQ(same.shape, array.shape);
  EXPECT_EQ(same.values, array.values);
  // Data start at a multiple of 64.
  EXPECT_EQ(NpyBytes(array).size() % 64, 48u);
}

TEST(Npy, DamageIsAUserError) {
  const std::string good = NpyBytes(Example());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(ParseNpy(std::string_view(good).substr(0, size), "x"),
                 UserError);
  }
  EXPECT_THROW(ParseNpy(good + '\0', "x"), UserError);
  Random random(1);
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = good;
    for (int k = 0; k <= i % 3; ++k) {
      bytes[random.Below(128)] = static_cast<char>(random.Bits());
    }
    try {
      ParseNpy(bytes, "x");
    } catch (const UserError&) {
      // Fine: anything but a crash or another exception.
    }
  }
}

}  // namespace
}  // namespace nerfpipe
