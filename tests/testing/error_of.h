// The error that something throws.
#ifndef PAROQUANT_TESTS_TESTING_ERROR_OF_H_
#define PAROQUANT_TESTS_TESTING_ERROR_OF_H_

#include <functional>

#include "paroquant/base/error.h"

namespace paroquant::testing {

// Runs `action` and returns the Error that it throws; without one the test fails.
Error ErrorOf(const std::function<void()>& action);

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_TESTING_ERROR_OF_H_
