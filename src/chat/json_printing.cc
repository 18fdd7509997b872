#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/printing.h"
#include "chat/strings.h"

namespace paroquant::chat {
namespace {

void AppendJsonEscape(char32_t character, bool ascii, std::string& text) {
  static constexpr std::string_view kCharacters = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";
  const auto code = static_cast<uint32_t>(character);
  const size_t place = code < 0x80 ? kCharacters.find(static_cast<char>(code)) : kLetters.npos;
  if (place != kLetters.npos) {
    text += '\\';
    text += kLetters[place];
  } else if (code < 0x20 || (ascii && code > 0x7E && code < 0x10000)) {
    text += fmt::format("\\u{:04x}", code);
  } else if (ascii && code >= 0x10000) {
    const uint32_t rest = code - 0x10000;
    text += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
  } else {
    text::AppendUtf8(character, text);
  }
}

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Budget& budget) : style_(style), budget_(budget) {}

  std::string Write(const Value& value) {
    Append(value, 0);
    return std::move(text_);
  }

 private:
  void AppendString(const std::string& string) {
    budget_.Spend(2 * string.size());
    text_ += '"';
    for (size_t position = 0; position < string.size();) {
      AppendJsonEscape(text::NextCharacter(string, position), style_.ascii, text_);
    }
    text_ += '"';
  }

  void BreakLine(int level) {
    if (!style_.indent) return;
    budget_.Spend(static_cast<size_t>(level) * style_.indent->size() + 1);
    text_ += '\n';
    for (int i = 0; i < level; ++i) text_ += *style_.indent;
  }

  std::string DoubleText(const Value& value) {
    const double number = value.number();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return ToText(value, budget_);
  }

  std::string ScalarText(const Value& value) {
    if (value.IsNone()) return "null";
    if (value.Is<bool>()) return value.Get<bool>() ? "true" : "false";
    if (value.Is<int64_t>()) return fmt::format("{}", value.integer());
    if (value.Is<double>()) return DoubleText(value);
    throw Fault(fmt::format("Object of type {} is not JSON serializable", TypeName(value)));
  }

  std::string KeyText(const Value& key) { return key.IsString() ? key.string() : ScalarText(key); }

  void AppendItems(const std::vector<Value>& items, int level) {
    text_ += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) text_ += style_.item_separator;
      BreakLine(level + 1);
      Append(items[i], level + 1);
    }
    if (!items.empty()) BreakLine(level);
    text_ += ']';
  }

  // The entries, sorted if the style asks for it.
  std::vector<std::pair<Value, Value>> EntriesOf(const Dict& dict) {
    std::vector<std::pair<Value, Value>> entries = dict.entries;
    if (!style_.sort_keys) return entries;
    std::ranges::stable_sort(entries, [&](const auto& left, const auto& right) {
      return Less(left.first, right.first, budget_);
    });
    return entries;
  }

  void AppendEntries(const Dict& dict, int level) {
    text_ += '{';
    const char* separator = "";
    for (const auto& [key, value] : EntriesOf(dict)) {
      text_ += separator;
      separator = style_.item_separator.c_str();
      BreakLine(level + 1);
      AppendString(KeyText(key));
      text_ += style_.key_separator;
      Append(value, level + 1);
    }
    if (!dict.entries.empty()) BreakLine(level);
    text_ += '}';
  }

  void Append(const Value& value, int level) {
    budget_.Spend(sizeof(Value));
    const List* list = value.AsList();
    const bool is_array =
        list != nullptr && (list->form == ListForm::kList || list->form == ListForm::kTuple);
    if (is_array) {
      AppendItems(list->items, level);
    } else if (value.IsDict()) {
      AppendEntries(value.dict(), level);
    } else if (value.IsString()) {
      AppendString(value.string());
    } else {
      text_ += ScalarText(value);
    }
  }

  const JsonStyle& style_;
  Budget& budget_;
  std::string text_;
};

}  // namespace

std::string ToJson(const Value& value, const JsonStyle& style, Budget& budget) {
  return JsonWriter(style, budget).Write(value);
}

}  // namespace paroquant::chat
