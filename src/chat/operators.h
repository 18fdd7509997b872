// Operators, subscripts and attributes, as Python and Jinja define them.
#ifndef PAROQUANT_CHAT_OPERATORS_H_
#define PAROQUANT_CHAT_OPERATORS_H_

#include <string_view>

#include "chat/syntax.h"
#include "chat/value.h"

namespace paroquant::chat {

// All throw Fault for operands that the operator is not made for.
Value ApplyBinary(BinaryOperator operation, const Value& left, const Value& right, Budget& budget);
Value ApplyUnary(UnaryOperator operation, const Value& operand);
bool Compare(Comparison comparison, const Value& left, const Value& right, Budget& budget);
// Python's "item in container".
bool IsIn(const Value& item, const Value& container, Budget& budget);

// "object.name" and "object[key]": undefined if there is no such thing. Throw Fault if the object
// is undefined itself.
Value GetAttribute(const Value& object, std::string_view name, Budget& budget);
Value GetItem(const Value& object, const Value& key, Budget& budget);
// A path of keys with dots between them, as filters take it.
Value GetPath(const Value& object, const Value& path, Budget& budget);
// "object[begin:end:step]", none for a part that is left out.
Value GetSlice(const Value& object, const Value& begin, const Value& end, const Value& step,
               Budget& budget);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_OPERATORS_H_
