#include "paroquant/base/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace paroquant {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TextTableTest, ColumnsAreAsWideAsTheirWidestCell) {
  TextTable table;
  table.Add({"layer", "bits", "error"});
  table.Add({"q", "4", "0.52 %"});
  table.Add({"gate_proj", "16", "-"});
  EXPECT_THAT(table.Lines(), ElementsAre("  layer      bits   error",  //
                                         "  q             4  0.52 %",  //
                                         "  gate_proj    16       -"));
}

TEST(TextTableTest, RemarksAndRowsThatEndEarlyMoveNothing) {
  TextTable table;
  table.Add({"a", "4", "1.5"}, "fine");
  table.Add({"bcd", "16"}, "kept: for a reason that takes more room than any column has");
  EXPECT_THAT(
      table.Lines(),
      ElementsAre("  a     4  1.5  fine",
                  "  bcd  16  kept: for a reason that takes more room than any column has"));
}

TEST(TextTableTest, LinesDoNotEndInSpaces) {
  TextTable table;
  table.Add({"a"});
  table.Add({"longer", ""});
  EXPECT_THAT(table.Lines(), ElementsAre("  a", "  longer"));
}

TEST(TextTableTest, LettersAreCountedAndNotTheirBytes) {
  TextTable table;
  table.Add({"gr\u00fcn", "1 \u00b1 2"});
  table.Add({"blue", "10"});
  EXPECT_THAT(table.Lines(), ElementsAre("  gr\u00fcn  1 \u00b1 2", "  blue     10"));
}

TEST(TextTableTest, WhatCommandsATerminalMovesNothing) {
  TextTable table;
  table.Add({"a\x1B\n\xC0", "1"}, "\x1B");
  table.Add({"blue", "2"});
  EXPECT_THAT(table.Lines(), ElementsAre("  a???  1  ?", "  blue  2"));
}

TEST(TextTableTest, NoRowsAreNoLines) { EXPECT_THAT(TextTable().Lines(), IsEmpty()); }

}  // namespace
}  // namespace paroquant
