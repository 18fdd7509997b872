// Methods of strings.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/methods.h"
#include "chat/printing.h"
#include "chat/strings.h"

namespace paroquant::chat {
namespace {

using Apply = Value (*)(const std::string& text, const Arguments& arguments, Context& context);

std::optional<std::string_view> ViewOf(const std::string* text) {
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(*text);
}

template <Side kSide>
Value ApplyStrip(const std::string& text, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("strip", arguments, {"chars"});
  return Value::String(std::string(Strip(text, kSide, ViewOf(bound.String(0)))));
}

Value ListOf(const std::vector<std::string_view>& parts, Context& context) {
  context.budget.Spend(parts.size() * (sizeof(Value) + sizeof(Text)));
  std::vector<Value> items;
  for (const std::string_view part : parts) items.push_back(Value::String(std::string(part)));
  return Value::MakeList(std::move(items));
}

template <Side kFrom>
Value ApplySplit(const std::string& text, const Arguments& arguments, Context& context) {
  const BoundArguments bound("split", arguments, {"sep", "maxsplit"});
  return ListOf(Split(text, ViewOf(bound.String(0)), bound.Integer(1, -1), kFrom), context);
}

Value ApplySplitLines(const std::string& text, const Arguments& arguments, Context& context) {
  const BoundArguments bound("splitlines", arguments, {"keepends"});
  return ListOf(SplitLines(text, bound.Flag(0, false)), context);
}

// Whether the text begins or ends with the string, or one of the tuple of strings, that is the
// argument.
template <bool kEnds>
Value ApplyAffix(const std::string& text, const Arguments& arguments, Context& context) {
  const BoundArguments bound(kEnds ? "endswith" : "startswith", arguments, {"affix"}, 1);
  std::vector<Value> affixes = {bound[0]};
  const List* list = bound[0].AsList();
  if (list != nullptr && list->form == ListForm::kTuple) affixes = Items(bound[0], context.budget);
  return std::ranges::any_of(affixes, [&](const Value& affix) {
    if (affix.IsUndefined()) FailUndefined(affix);
    if (!affix.IsString()) {
      throw Fault(fmt::format("startswith or endswith of a '{}'", TypeName(affix)));
    }
    return kEnds ? text.ends_with(affix.string()) : text.starts_with(affix.string());
  });
}

const std::string& Required(const BoundArguments& bound, size_t parameter) {
  const std::string* text = bound.String(parameter);
  if (text == nullptr) throw Fault("a method of a string needs a string, not none");
  return *text;
}

Value ApplyRemovePrefix(const std::string& text, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("removeprefix", arguments, {"prefix"}, 1);
  const std::string& prefix = Required(bound, 0);
  return Value::String(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}

Value ApplyRemoveSuffix(const std::string& text, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("removesuffix", arguments, {"suffix"}, 1);
  const std::string& suffix = Required(bound, 0);
  return Value::String(text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text);
}

Value ApplyReplace(const std::string& text, const Arguments& arguments, Context& context) {
  const BoundArguments bound("replace", arguments, {"old", "new", "count"}, 2);
  std::string replaced =
      Replace(text, Required(bound, 0), Required(bound, 1), bound.Integer(2, -1));
  context.budget.Spend(replaced.size());
  return Value::String(std::move(replaced));
}

template <std::string (*Map)(std::string_view)>
Value ApplyMap(const std::string& text, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("a method of letters' case", arguments, {});
  return Value::String(Map(text));
}

template <bool (*Test)(std::string_view)>
Value ApplyTest(const std::string& text, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("a test of characters", arguments, {});
  return Test(text);
}

bool IsAllSpace(std::string_view text) { return !text.empty() && Strip(text, Side::kLeft).empty(); }

bool IsAllDigits(std::string_view text) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool has_other =
      std::ranges::any_of(text, [&](char c) { return is_ascii(c) && !is_digit(c); });
  if (has_other || text.empty()) return false;
  if (std::ranges::all_of(text, is_digit)) return true;
  throw Fault("isdigit of other than ASCII", Fault::Kind::kUnsupported);
}

// The character, not the byte, at which it stands; -1 if it does not.
template <bool kLast>
Value ApplyFind(const std::string& text, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("find", arguments, {"sub"}, 1);
  const std::string& part = Required(bound, 0);
  const size_t place = kLast ? text.rfind(part) : text.find(part);
  if (place == text.npos) return int64_t{-1};
  return CountCharacters(std::string_view(text).substr(0, place));
}

Value ApplyCount(const std::string& text, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("count", arguments, {"sub"}, 1);
  const std::string& part = Required(bound, 0);
  if (part.empty()) return CountCharacters(text) + 1;
  return std::ssize(Split(text, part, -1)) - 1;
}

Value ApplyJoin(const std::string& text, const Arguments& arguments, Context& context) {
  const BoundArguments bound("join", arguments, {"iterable"}, 1);
  std::string joined;
  const char* begin = "";
  for (const Value& item : Items(bound[0], context.budget)) {
    if (!item.IsString()) {
      throw Fault(fmt::format("join of strings and a '{}'", TypeName(item)));
    }
    context.budget.Spend(text.size() + item.string().size());
    if (*begin != '\0') joined += text;
    begin = " ";
    joined += item.string();
  }
  return Value::String(std::move(joined));
}

constexpr size_t kNumbered =
    SIZE_MAX;  // in place of the next field's number: fields have their own

// The value for "{}", "{0}" or "{name}", of which this is what stands between the braces.
Value FieldValue(std::string_view field, size_t& next, const Arguments& arguments) {
  size_t place = 0;
  const auto read = std::from_chars(field.data(), field.data() + field.size(), place);
  const bool is_number = read.ec == std::errc{} && read.ptr == field.data() + field.size();
  if (field.empty() || is_number) {
    if (field.empty() ? next == kNumbered : next != kNumbered && next > 0) {
      throw Fault("format with fields that have numbers and others that have none");
    }
    if (field.empty()) place = next;
    next = is_number ? kNumbered : next + 1;
    if (place < arguments.positional.size()) return arguments.positional[place];
    throw Fault("format has too few arguments");
  }
  for (const auto& [name, value] : arguments.named) {
    if (name == field) return value;
  }
  throw Fault(fmt::format("the field \"{{{}}}\" of format", field), Fault::Kind::kUnsupported);
}

Value ApplyFormat(const std::string& text, const Arguments& arguments, Context& context) {
  std::string formatted;
  size_t next = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
    if ((text[i] == '{' || text[i] == '}') && doubled) {
      formatted += text[i++];
    } else if (text[i] == '{') {
      const size_t end = text.find('}', i);
      if (end == text.npos) throw Fault("format with a \"{\" without its \"}\"");
      const std::string_view field = std::string_view(text).substr(i + 1, end - i - 1);
      formatted += ToText(FieldValue(field, next, arguments), context.budget);
      i = end;
    } else if (text[i] == '}') {
      throw Fault("format with a \"}\" without its \"{\"");
    } else {
      formatted += text[i];
    }
  }
  return Value::String(std::move(formatted));
}

constexpr std::array<std::pair<std::string_view, Apply>, 24> kStringMethods = {
    {{"strip", ApplyStrip<Side::kBoth>},
     {"lstrip", ApplyStrip<Side::kLeft>},
     {"rstrip", ApplyStrip<Side::kRight>},
     {"split", ApplySplit<Side::kLeft>},
     {"rsplit", ApplySplit<Side::kRight>},
     {"splitlines", ApplySplitLines},
     {"startswith", ApplyAffix<false>},
     {"endswith", ApplyAffix<true>},
     {"removeprefix", ApplyRemovePrefix},
     {"removesuffix", ApplyRemoveSuffix},
     {"replace", ApplyReplace},
     {"upper", ApplyMap<Upper>},
     {"lower", ApplyMap<Lower>},
     {"capitalize", ApplyMap<Capitalize>},
     {"title", ApplyMap<Title>},
     {"isupper", ApplyTest<IsUpper>},
     {"islower", ApplyTest<IsLower>},
     {"isspace", ApplyTest<IsAllSpace>},
     {"isdigit", ApplyTest<IsAllDigits>},
     {"find", ApplyFind<false>},
     {"rfind", ApplyFind<true>},
     {"count", ApplyCount},
     {"join", ApplyJoin},
     {"format", ApplyFormat}}};

const Apply* FindStringMethod(std::string_view name) {
  const auto* found =
      std::ranges::find(kStringMethods, name, &std::pair<std::string_view, Apply>::first);
  return found == kStringMethods.end() ? nullptr : &found->second;
}

}  // namespace

bool HasStringMethod(std::string_view name) { return FindStringMethod(name) != nullptr; }

Value CallStringMethod(const Method& method, const Arguments& arguments, Context& context) {
  const Apply* apply = FindStringMethod(method.name);
  if (apply == nullptr) {
    throw Fault(fmt::format("the method \"{}\" of a string", method.name),
                Fault::Kind::kUnsupported);
  }
  if (method.receiver.IsSafe()) {
    throw Fault(fmt::format("the method \"{}\" of a \"safe\" string", method.name),
                Fault::Kind::kUnsupported);
  }
  const std::string& text = method.receiver.string();
  context.budget.Spend(2 * text.size() + sizeof(Value));
  return (*apply)(text, arguments, context);
}

}  // namespace paroquant::chat
