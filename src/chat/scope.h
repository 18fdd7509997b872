// The variables of a template, by the part of it that they live in.
#ifndef PAROQUANT_CHAT_SCOPE_H_
#define PAROQUANT_CHAT_SCOPE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/value.h"

namespace paroquant::chat {

// Loops, macros and blocks have scopes of their own: what they set is not seen outside.
class Scope {
 public:
  explicit Scope(const Scope* parent = nullptr) : parent_(parent) {}

  const Value* Find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
      for (const auto& [known, value] : scope->variables_) {
        if (known == name) return &value;
      }
    }
    return nullptr;
  }
  void Set(std::string_view name, Value value) {
    for (auto& [known, old] : variables_) {
      if (known != name) continue;
      old = std::move(value);
      return;
    }
    variables_.emplace_back(name, std::move(value));
  }
  void Clear() { variables_.clear(); }

 private:
  const Scope* parent_;
  std::vector<std::pair<std::string_view, Value>> variables_;  // names are those of the tree
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_SCOPE_H_
