#include "paroquant/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace paroquant {
namespace {

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
