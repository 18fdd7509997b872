#include "chat/arguments.h"

#include <fmt/format.h>

#include <algorithm>

namespace paroquant::chat {

BoundArguments::BoundArguments(std::string_view callee, const Arguments& arguments,
                               std::initializer_list<std::string_view> parameters, size_t required)
    : callee_(callee), values_(parameters.size()) {
  const size_t given = arguments.positional.size();
  if (given > parameters.size()) {
    throw Fault(
        fmt::format("{} takes at most {} arguments, not {}", callee, parameters.size(), given));
  }
  std::ranges::copy(arguments.positional, values_.begin());
  for (const auto& [name, value] : arguments.named) {
    const auto* found = std::ranges::find(parameters, name);
    if (found == parameters.end()) {
      throw Fault(fmt::format("{} takes no argument '{}'", callee, name));
    }
    std::optional<Value>& place = values_[static_cast<size_t>(found - parameters.begin())];
    if (place) throw Fault(fmt::format("{} is given the argument '{}' twice", callee, name));
    place = value;
  }
  for (size_t i = 0; i < required; ++i) {
    if (values_[i]) continue;
    throw Fault(fmt::format("{} needs an argument '{}'", callee, parameters.begin()[i]));
  }
}

const Value* BoundArguments::Find(size_t parameter) const {
  const std::optional<Value>& value = values_[parameter];
  return value && !value->IsNone() ? &*value : nullptr;
}

bool BoundArguments::Flag(size_t parameter, bool fallback) const {
  return Has(parameter) ? Truth(*values_[parameter]) : fallback;
}

int64_t BoundArguments::Integer(size_t parameter, int64_t fallback) const {
  if (!Has(parameter)) return fallback;
  if (!values_[parameter]->IsInteger()) FailKind(parameter, "an integer");
  return values_[parameter]->integer();
}

const std::string* BoundArguments::String(size_t parameter) const {
  const Value* value = Find(parameter);
  if (value == nullptr) return nullptr;
  if (!value->IsString()) FailKind(parameter, "a string");
  return &value->string();
}

void BoundArguments::FailKind(size_t parameter, std::string_view expected) const {
  const Value& value = *values_[parameter];
  if (value.IsUndefined()) FailUndefined(value);
  throw Fault(fmt::format("{} needs {}, not a '{}'", callee_, expected, TypeName(value)));
}

}  // namespace paroquant::chat
