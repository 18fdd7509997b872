// String literals of a template.
#ifndef PAROQUANT_CHAT_STRING_LITERAL_H_
#define PAROQUANT_CHAT_STRING_LITERAL_H_

#include <string>
#include <string_view>

namespace paroquant::chat {

// What a literal with this text between its quotes stands for, by Python's rules: unknown escapes
// stand for themselves. Throws Fault, at `line`, for escapes that name no character.
std::string ResolveEscapes(std::string_view literal, int line);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_STRING_LITERAL_H_
