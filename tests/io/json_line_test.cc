#include "io/json_line.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/testing/processor_time.h"

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

TEST(JsonLineTest, FaultsAreFoundWhereTheyLie) {
  EXPECT_EQ(LineOfFault(kText), 0);
  EXPECT_EQ(LineOfFault("{\n\"a\": 1,\n\n}\n"), 4);
  EXPECT_EQ(LineOfFault("{\n\"a\": 1\n\"b\": 2\n}\n"), 3);
  EXPECT_EQ(LineOfFault("{\n\"a\": {\"a\": 1},\n\"b\": 2,\n\"a\": 3,\n\"b\": 4}"), 4);
  EXPECT_EQ(LineOfFault("{\n\"a\":\n1e999\n}"), 3);
  EXPECT_EQ(LineOfFault("{\n\"a\": 1\n"), 3);
  EXPECT_EQ(LineOfFault(""), 1);
}

// A generous bound: what grows with the square takes minutes, more with sanitizers.
TEST(JsonLineTest, ObjectsOfManyKeysTakeNoQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += fmt::format("\"key {}\": {},\n", i, i);
  const double start = testing::ProcessorSeconds();
  EXPECT_EQ(LineOfFault(text + "\"key 5\": 0}"), 100'001);
  EXPECT_LT(testing::ProcessorSeconds() - start, 15);
}

}  // namespace
}  // namespace paroquant::io
