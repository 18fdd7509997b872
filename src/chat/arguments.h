// What a call hands over, and how it meets the parameters of what is called.
#ifndef PAROQUANT_CHAT_ARGUMENTS_H_
#define PAROQUANT_CHAT_ARGUMENTS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/value.h"

namespace paroquant::chat {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// The arguments in the order of the parameters; those not given are absent.
class BoundArguments {
 public:
  // `callee` is for errors. Throws Fault for arguments that no parameter takes, and if one of the
  // first `required` has none.
  BoundArguments(std::string_view callee, const Arguments& arguments,
                 std::initializer_list<std::string_view> parameters, size_t required = 0);

  bool Has(size_t parameter) const { return values_[parameter].has_value(); }
  const Value& operator[](size_t parameter) const { return *values_[parameter]; }
  // The argument if there is one and it is not none.
  const Value* Find(size_t parameter) const;

  // Throw Fault for an argument of another kind.
  bool Flag(size_t parameter, bool fallback) const;
  int64_t Integer(size_t parameter, int64_t fallback) const;
  // Null if absent or none.
  const std::string* String(size_t parameter) const;

 private:
  [[noreturn]] void FailKind(size_t parameter, std::string_view expected) const;

  std::string_view callee_;
  std::vector<std::optional<Value>> values_;
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_ARGUMENTS_H_
