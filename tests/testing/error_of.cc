#include "tests/testing/error_of.h"

#include <gtest/gtest.h>

namespace paroquant::testing {

Error ErrorOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::kInternal, {});
}

}  // namespace paroquant::testing
