// Replays every input that the fuzzer has kept, without it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "tests/fuzz/targets.h"
#include "tests/testing/paths.h"

namespace paroquant::fuzz {
namespace {

class CorpusTest : public ::testing::TestWithParam<Target> {};

TEST_P(CorpusTest, EveryInputIsTakenOrRefused) {
  const auto folder = testing::ProjectPath("tests/fuzz/corpus") / GetParam().name;
  size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    EXPECT_NO_THROW(Check(GetParam(), ReadFile(entry.path())));
    ++inputs;
  }
  EXPECT_GT(inputs, 0);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, CorpusTest, ::testing::ValuesIn(Targets()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace paroquant::fuzz
