#include "pipeline/base/digest.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

TEST(Digest, IsThatOfTheSpecification) {
  // XXH3-128 of the empty input, from the specification of xxHash.
  EXPECT_EQ(DigestOf(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(DigestOf("").size(), 32);
}

TEST(Digest, FieldsDoNotRunTogether) {
  EXPECT_NE(DigestBuilder().Add("ab").Add("c").Finish(),
            DigestBuilder().Add("a").Add("bc").Finish());
  EXPECT_NE(DigestBuilder().Add("a").Finish(),
            DigestBuilder().Add("a").Add("").Finish());
  EXPECT_NE(DigestBuilder().Add("a").Add("b").Finish(),
            DigestBuilder().Add("b").Add("a").Finish());
  EXPECT_EQ(DigestBuilder().Add("a").Add("b").Finish(),
            DigestBuilder().Add("a").Add("b").Finish());
}

// Longer than the pieces that files are read in.
TEST(Digest, OfAFileIsThatOfItsBytes) {
  const TemporaryFolder folder;
  std::string bytes(2'500'001, 'x');
  bytes.front() = 'a';
  bytes.back() = 'b';
  WriteFileAtomically(folder / "long", bytes);
  EXPECT_EQ(DigestOfFile(folder / "long"), DigestOf(bytes));
  WriteFileAtomically(folder / "empty", "");
  EXPECT_EQ(DigestOfFile(folder / "empty"), DigestOf(""));
}

TEST(Digest, OfNoFileIsAUserError) {
  const TemporaryFolder folder;
  try {
    DigestOfFile(folder / "none");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr((folder / "none").string()));
  }
  EXPECT_THROW(DigestOfFile(folder), UserError);
}

}  // namespace
}  // namespace nerfpipe
