#include "paroquant/base/error.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace paroquant {
namespace {

TEST(ErrorTest, WhatComesFromAFileNeitherCommandsATerminalNorFillsIt) {
  const std::string at_most(2000, 'x');
  const std::string split =
      fmt::format("{}\u00e9", at_most.substr(1));  // a character across the limit
  const Error error(ErrorKind::kInput, {.where = "a\x1B[2J\n\x7F\u009B\xC0\x9B",
                                        .expected = at_most + at_most,
                                        .found = split,
                                        .hint = "\u00e9"});
  EXPECT_EQ(error.parts().where, "a?[2J?????");
  EXPECT_EQ(error.parts().expected, fmt::format("{}...", at_most));
  EXPECT_EQ(error.parts().found, fmt::format("{}...", at_most.substr(1)));
  EXPECT_EQ(error.parts().hint, "\u00e9");
  EXPECT_LT(std::string(error.what()).size(), 5000);
}

TEST(SystemErrorTest, EveryReasonHasAHint) {
  for (const int number : {ENOSPC, EACCES, ENOENT, ENOMEM, ELOOP, EFBIG, EMFILE, EIO, EPIPE}) {
    const Error error = SystemError("file", "write", number);
    EXPECT_EQ(error.kind(), ErrorKind::kSystem);
    EXPECT_EQ(error.parts().where, "file");
    EXPECT_NE(error.parts().hint, "") << error.what();
  }
}

}  // namespace
}  // namespace paroquant
