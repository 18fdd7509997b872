#include "io/json_line.h"

#include <gtest/gtest.h>

namespace paroquant::io {
namespace {

constexpr char kText[] = R"({
  "a": "b",
  "list": [{"a": 1},
           {"b": {"a": 2}}],
  "first": {"a": "first",
            "b": "a"}, "b": {
    "a":
      3
  }
}
)";

TEST(JsonLineTest, KeysAreFoundWhereTheyLie) {
  EXPECT_EQ(LineOfKey(kText, "a"), 2);
  EXPECT_EQ(LineOfKey(kText, "list"), 3);
  EXPECT_EQ(LineOfKey(kText, "first.a"), 5);
  EXPECT_EQ(LineOfKey(kText, "first.b"), 6);
  EXPECT_EQ(LineOfKey(kText, "b"), 6);
  EXPECT_EQ(LineOfKey(kText, "b.a"), 7);
}

TEST(JsonLineTest, KeysThatAreNotThereHaveNoLine) {
  EXPECT_EQ(LineOfKey(kText, "c"), 0);
  EXPECT_EQ(LineOfKey(kText, "a.b"), 0);
  EXPECT_EQ(LineOfKey(kText, ""), 0);
  EXPECT_EQ(LineOfKey("3", "a"), 0);
}

TEST(JsonLineTest, LinesCountFromOne) {
  EXPECT_EQ(LineAt("a\nb", 0), 1);
  EXPECT_EQ(LineAt("a\nb", 1), 1);
  EXPECT_EQ(LineAt("a\nb", 2), 2);
  EXPECT_EQ(LineAt("a\nb", 99), 2);
}

}  // namespace
}  // namespace paroquant::io
