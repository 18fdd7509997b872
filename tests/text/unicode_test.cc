#include "text/unicode.h"

#include <gtest/gtest.h>

#include <string>

namespace paroquant::text {
namespace {

TEST(UnicodeTest, IllFormedSequencesAreFoundWhereTheyBegin) {
  EXPECT_EQ(ValidUtf8Prefix("plain and naïve – 🦙"),
            std::string("plain and naïve – 🦙").size());
  EXPECT_EQ(ValidUtf8Prefix("12345678\xC3"), 8U);
  EXPECT_EQ(ValidUtf8Prefix("a\xC0\xAF"), 1U);          // overlong
  EXPECT_EQ(ValidUtf8Prefix("a\xED\xA0\x80"), 1U);      // a surrogate
  EXPECT_EQ(ValidUtf8Prefix("a\xF4\x90\x80\x80"), 1U);  // above U+10FFFF
}

// The example of the Unicode standard, table 3-8 and its neighbours.
TEST(UnicodeTest, EachMaximalSubpartBecomesOneReplacement) {
  const std::string four = "\uFFFD\uFFFD\uFFFD\uFFFDA";
  const std::string eight = "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA";
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), eight);
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), eight);
  EXPECT_EQ(ReplaceInvalidUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), four);
  EXPECT_EQ(ReplaceInvalidUtf8("\xF0\x9F\xA6"), "\uFFFD");
}

TEST(UnicodeTest, CharactersAreReadFromBothEndsAndWritten) {
  const std::string text = "aé–🦙";
  size_t position = 0;
  std::string copy;
  for (const char32_t expected : U"aé–🦙") {
    if (expected == 0) break;
    const char32_t character = NextCharacter(text, position);
    EXPECT_EQ(character, expected);
    AppendUtf8(character, copy);
    EXPECT_EQ(LastCharacter(copy), expected);
  }
  EXPECT_EQ(copy, text);
}

TEST(UnicodeTest, WhitespaceIsThePropertyOfThatName) {
  for (const char32_t space : {U'\t', U'\v', U' ', U'\u0085', U'\u00A0', U'\u2028', U'\u3000'}) {
    EXPECT_TRUE(IsWhitespace(space)) << static_cast<uint32_t>(space);
  }
  for (const char32_t other : {U'a', U'\u180E', U'\u200B', U'\uFEFF'}) {
    EXPECT_FALSE(IsWhitespace(other)) << static_cast<uint32_t>(other);
  }
  EXPECT_EQ(LeadingWhitespace(" \u3000a "), 4U);
  EXPECT_EQ(TrailingWhitespace(" a\u3000 "), 4U);
  EXPECT_EQ(TrailingWhitespace("  "), 2U);
}

TEST(UnicodeTest, WordCharactersAreLettersMarksDigitsAndJoiners) {
  for (const char32_t word : {U'a', U'é', U'_', U'5', U'字', U'\u0301', U'\u200D', U'Ⓐ', U'Ⅷ'}) {
    EXPECT_TRUE(IsWordCharacter(word)) << static_cast<uint32_t>(word);
  }
  for (const char32_t other : {U' ', U'-', U'½', U'€', U'🦙'}) {
    EXPECT_FALSE(IsWordCharacter(other)) << static_cast<uint32_t>(other);
  }
}

TEST(UnicodeTest, NumbersAndPunctuationGoByCategory) {
  EXPECT_TRUE(IsNumber(U'7') && IsNumber(U'½') && IsNumber(U'Ⅷ') && IsNumber(U'٣'));
  EXPECT_FALSE(IsNumber(U'a') || IsNumber(U'字'));
  EXPECT_TRUE(IsPunctuation(U'!') && IsPunctuation(U'$') && IsPunctuation(U'—'));
  EXPECT_FALSE(IsPunctuation(U'a') || IsPunctuation(U'€') || IsPunctuation(U' '));
}

}  // namespace
}  // namespace paroquant::text
