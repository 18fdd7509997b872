#include "chat/printing.h"

#include <fmt/format.h>

#include <cmath>

#include "chat/strings.h"

namespace paroquant::chat {
namespace {

// Python's repr() of a float: the shortest digits that give it back.
std::string FloatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

void AppendEscaped(char32_t character, std::string& text) {
  const auto code = static_cast<uint32_t>(character);
  if (code < 0x100) {
    text += fmt::format("\\x{:02x}", code);
  } else if (code < 0x10000) {
    text += fmt::format("\\u{:04x}", code);
  } else {
    text += fmt::format("\\U{:08x}", code);
  }
}

// Python's repr() of a string.
std::string Quoted(const std::string& text) {
  const bool has_single = text.find('\'') != text.npos;
  const char quote = has_single && text.find('"') == text.npos ? '"' : '\'';
  std::string quoted(1, quote);
  for (size_t position = 0; position < text.size();) {
    const char32_t c = text::NextCharacter(text, position);
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\r') {
      quoted += "\\r";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (c == '\\' || c == static_cast<char32_t>(quote)) {
      quoted += '\\';
      quoted += static_cast<char>(c);
    } else if (IsPrintable(c)) {
      text::AppendUtf8(c, quoted);
    } else {
      AppendEscaped(c, quoted);
    }
  }
  return quoted += quote;
}

std::string Representation(const Value& value, Budget& budget);

std::string Join(const std::vector<Value>& items, Budget& budget) {
  std::string joined;
  for (const Value& item : items) {
    if (!joined.empty()) joined += ", ";
    joined += Representation(item, budget);
  }
  return joined;
}

std::string ListText(const List& list, Budget& budget) {
  switch (list.form) {
    case ListForm::kList:
      return '[' + Join(list.items, budget) + ']';
    case ListForm::kTuple:
      return '(' + Join(list.items, budget) + (list.items.size() == 1 ? ",)" : ")");
    case ListForm::kKeys:
      return "dict_keys([" + Join(list.items, budget) + "])";
    case ListForm::kValues:
      return "dict_values([" + Join(list.items, budget) + "])";
    case ListForm::kItems:
      return "dict_items([" + Join(list.items, budget) + "])";
    case ListForm::kRange:
      break;
  }
  throw Fault("the text of a range", Fault::Kind::kUnsupported);
}

std::string DictText(const Dict& dict, Budget& budget) {
  std::string text = "{";
  for (const auto& [key, value] : dict.entries) {
    if (text.size() > 1) text += ", ";
    text += Representation(key, budget) + ": " + Representation(value, budget);
  }
  return text += '}';
}

std::string Representation(const Value& value, Budget& budget) {
  if (value.IsUndefined()) return "Undefined";
  if (value.IsSafe()) throw Fault("a \"safe\" string in a list", Fault::Kind::kUnsupported);
  if (!value.IsString()) return ToText(value, budget);
  budget.Spend(2 * value.string().size());
  return Quoted(value.string());
}

}  // namespace

std::string ToText(const Value& value, Budget& budget) {
  budget.Spend(sizeof(Value));
  if (value.IsUndefined()) return "";
  if (value.IsNone()) return "None";
  if (value.Is<bool>()) return value.Get<bool>() ? "True" : "False";
  if (value.Is<int64_t>()) return fmt::format("{}", value.integer());
  if (value.Is<double>()) return FloatText(value.number());
  if (value.IsString()) {
    budget.Spend(value.string().size());
    return value.string();
  }
  std::string text;
  if (const List* list = value.AsList()) {
    text = ListText(*list, budget);
  } else if (value.IsDict()) {
    text = DictText(value.dict(), budget);
  } else {
    throw Fault(fmt::format("the text of a {}", TypeName(value)), Fault::Kind::kUnsupported);
  }
  budget.Spend(text.size());
  return text;
}

}  // namespace paroquant::chat
