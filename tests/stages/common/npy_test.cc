#include "stages/common/npy.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/random.h"

#include <string>

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
