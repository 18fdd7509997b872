// Values as text.
#ifndef PAROQUANT_CHAT_PRINTING_H_
#define PAROQUANT_CHAT_PRINTING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "chat/value.h"

namespace paroquant::chat {

// Python's str(): what "{{ value }}" prints. Throws Fault for what has no text of its own, such as
// a namespace.
std::string ToText(const Value& value, Budget& budget);

// As transformers' filter tojson gives it, which is Python's json.dumps.
struct JsonStyle {
  bool ascii = false;                 // \u escapes for all that is not ASCII
  std::optional<std::string> indent;  // one level's; without it all is one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
std::string ToJson(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_PRINTING_H_
