// Tests: "value is name(arguments)".
#ifndef PAROQUANT_CHAT_TESTS_H_
#define PAROQUANT_CHAT_TESTS_H_

#include <string_view>

#include "chat/arguments.h"
#include "chat/value.h"

namespace paroquant::chat {

bool HasTest(std::string_view name);
// Throws Fault, also if there is no test of that name.
bool ApplyTest(std::string_view name, const Value& input, const Arguments& arguments,
               Budget& budget);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_TESTS_H_
