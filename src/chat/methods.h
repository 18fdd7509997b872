// Methods of strings, lists and dicts, and functions that every template may call.
#ifndef PAROQUANT_CHAT_METHODS_H_
#define PAROQUANT_CHAT_METHODS_H_

#include <optional>
#include <string_view>

#include "chat/arguments.h"
#include "chat/context.h"
#include "chat/value.h"

namespace paroquant::chat {

// Whether a template may call something of this name on a value: a method that is implemented, or
// one that changes its list or dict, which is an error only when it comes to that.
bool IsCallable(std::string_view name);

// What "value.name" is if Python's type of the value has such a method; transformers hands out
// those that would change the value as undefined.
std::optional<Value> FindMethod(const Value& value, std::string_view name);

Value CallMethod(const Method& method, const Arguments& arguments, Context& context);

// A function without which no template would do: range, namespace, ...
std::optional<Value> FindFunction(std::string_view name);
Value CallFunction(Function function, const Arguments& arguments, Context& context);

// The methods of strings, apart for their number.
bool HasStringMethod(std::string_view name);
Value CallStringMethod(const Method& method, const Arguments& arguments, Context& context);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_METHODS_H_
