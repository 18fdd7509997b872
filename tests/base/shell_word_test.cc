#include "paroquant/base/shell_word.h"

#include <gtest/gtest.h>

namespace paroquant {
namespace {

TEST(ShellWordTest, OnlyWordsThatNeedItAreQuoted) {
  EXPECT_EQ(ShellWord("./a-b_c/d.txt:1,2=3+4@5"), "./a-b_c/d.txt:1,2=3+4@5");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("two words"), "'two words'");
  EXPECT_EQ(ShellWord("$HOME"), "'$HOME'");
  EXPECT_EQ(ShellWord("it's"), R"('it'\''s')");
  EXPECT_EQ(ShellQuoted("plain"), "'plain'");
}

}  // namespace
}  // namespace paroquant
