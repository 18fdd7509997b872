#include "paroquant/base/printable.h"

#include <gtest/gtest.h>

namespace paroquant {
namespace {

TEST(PrintableTest, TextStaysAsItIs) {
  for (const char* text : {"", "plain ~", "na\u00efve \u2013 \U0001F999", "\u00a0"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(PrintableTest, ControlCharactersAreShownAsQuestionMarks) {
  EXPECT_EQ(Printable("\x1B[2J\r\n\t\x7F"), "?[2J????");
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(Printable("\u0080\u009B31m\u009F\u00A0"), "??31m?\u00A0");  // C1, 9B is CSI
  EXPECT_EQ(Printable("\uFFFE\uFFFF\uFFFD"), "??\uFFFD");
  EXPECT_EQ(Printable("\u2027\u2028\u2029\u202E\u202F"), "\u2027???\u202F");
  EXPECT_EQ(Printable("\u2065\u2066\u2069\u206A"), "\u2065??\u206A");
}

TEST(PrintableTest, SoIsWhatIsNoUtf8) {
  EXPECT_EQ(Printable("\x9B"), "?");            // C1 in eight bits
  EXPECT_EQ(Printable("\xC0\x9B[m"), "??[m");   // ESC, overlong
  EXPECT_EQ(Printable("\xE0\x80\x9B"), "???");  // and longer
  EXPECT_EQ(Printable("\xED\xA0\x80"), "???");  // a surrogate
  EXPECT_EQ(Printable("a\xF0\x9F\xA6"), "a?");  // cut off
  EXPECT_EQ(Printable("\xE2\x1B[m"), "??[m");   // ESC is no part of what begins before it
}

}  // namespace
}  // namespace paroquant
