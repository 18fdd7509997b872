// Filters of strings and numbers, and those that make strings of other values.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "chat/filters.h"
#include "chat/operators.h"
#include "chat/printing.h"
#include "chat/strings.h"

namespace paroquant::chat {
namespace {

// A string stays what it is, marked as safe or not.
Value Like(const Value& input, std::string text) {
  return Value::String(std::move(text), input.IsSafe());
}

Value ApplyDefault(const Value& input, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("default", arguments, {"default_value", "boolean"});
  const bool missing = input.IsUndefined() || (bound.Flag(1, false) && !Truth(input));
  if (!missing) return input;
  return bound.Has(0) ? bound[0] : Value::String("");
}

Value ApplyTrim(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("trim", arguments, {"chars"});
  const std::string* chars = bound.String(0);
  const std::string text = ToText(input, context.budget);
  const auto characters = chars == nullptr ? std::nullopt : std::optional<std::string_view>(*chars);
  return Like(input, std::string(Strip(text, Side::kBoth, characters)));
}

template <std::string (*Map)(std::string_view)>
Value ApplyMap(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("a filter of letters' case", arguments, {});
  return Like(input, Map(ToText(input, context.budget)));
}

// The first letter of each word, which begin behind spaces, hyphens and opening brackets.
std::string TitleWords(std::string_view text) {
  static constexpr std::string_view kBeforeWords = "-({[<";
  std::string words;
  size_t start = 0;
  for (size_t position = 0; position <= text.size();) {
    size_t next = position;
    const char32_t c = position == text.size() ? U' ' : text::NextCharacter(text, next);
    const bool separates =
        IsSpace(c) || (c < 0x80 && kBeforeWords.find(static_cast<char>(c)) != kBeforeWords.npos);
    if (separates) {
      words += Capitalize(text.substr(start, position - start));
      words += text.substr(position, next - position);
      start = next;
    }
    if (position == text.size()) break;
    position = next;
  }
  return words;
}

Value ApplyString(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("string", arguments, {});
  return input.IsString() ? input : Value::String(ToText(input, context.budget));
}

Value ApplySafe(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("safe", arguments, {});
  return Value::String(ToText(input, context.budget), /*safe=*/true);
}

Value ApplyEscape(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("escape", arguments, {});
  if (input.IsSafe()) return input;
  const std::string text = ToText(input, context.budget);
  context.budget.Spend(5 * text.size());
  return Value::String(EscapeHtml(text), /*safe=*/true);
}

void RequirePlain(const Value& input, std::string_view filter) {
  if (!input.IsSafe()) return;
  throw Fault(fmt::format("the filter \"{}\" on a \"safe\" string", filter),
              Fault::Kind::kUnsupported);
}

Value ApplyReplace(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("replace", arguments, {"old", "new", "count"}, 2);
  RequirePlain(input, "replace");
  const std::string text = ToText(input, context.budget);
  const std::string old = ToText(bound[0], context.budget);
  const std::string with = ToText(bound[1], context.budget);
  const bool limited = bound.Find(2) != nullptr && bound.Integer(2, 0) != 0;
  std::string replaced = Replace(text, old, with, limited ? bound.Integer(2, 0) : -1);
  context.budget.Spend(replaced.size());
  return Value::String(std::move(replaced));
}

// An indent as filters take it: spaces by number, or the text of a level.
std::optional<std::string> IndentOf(const BoundArguments& bound, size_t parameter,
                                    Context& context) {
  const Value* indent = bound.Find(parameter);
  if (indent == nullptr) return std::nullopt;
  if (indent->IsString()) return indent->string();
  const int64_t width = std::max<int64_t>(bound.Integer(parameter, 0), 0);
  context.budget.Spend(static_cast<size_t>(width));
  return std::string(static_cast<size_t>(width), ' ');
}

Value ApplyIndent(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("indent", arguments, {"width", "first", "blank"});
  RequirePlain(input, "indent");
  if (input.IsUndefined()) FailUndefined(input);
  if (!input.IsString()) {
    throw Fault(fmt::format("the filter \"indent\" on a '{}'", TypeName(input)));
  }
  const std::string indent = IndentOf(bound, 0, context).value_or("    ");
  // Without a line end behind the last line, it would not count as one if it is empty.
  const std::string text = ToText(input, context.budget).append("\n");
  std::string indented;
  bool is_first = true;
  for (const std::string_view line : SplitLines(text, /*keep_ends=*/false)) {
    context.budget.Spend(indent.size() + line.size());
    if (!is_first) indented += '\n';
    if (is_first ? bound.Flag(1, false) : !line.empty() || bound.Flag(2, false)) indented += indent;
    indented += line;
    is_first = false;
  }
  return Value::String(std::move(indented));
}

Value ApplyToJson(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("tojson", arguments,
                             {"ensure_ascii", "indent", "separators", "sort_keys"});
  const std::optional<std::string> indent = IndentOf(bound, 1, context);
  JsonStyle style{.ascii = bound.Flag(0, false),
                  .indent = indent,
                  .item_separator = indent ? "," : ", ",
                  .sort_keys = bound.Flag(3, false)};
  if (const Value* separators = bound.Find(2)) {
    const std::vector<Value> both = Items(*separators, context.budget);
    if (both.size() != 2 || !both[0].IsString() || !both[1].IsString()) {
      throw Fault("tojson needs two strings as separators");
    }
    style.item_separator = both[0].string();
    style.key_separator = both[1].string();
  }
  std::string json = ToJson(input, style, context.budget);
  context.budget.Spend(json.size());
  return Value::String(std::move(json));
}

// The number that a string spells, as Python's int() or float() reads it.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  text = Strip(text, Side::kBoth);
  if (text.starts_with('+')) text.remove_prefix(1);
  T number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// A float cut to an integer.
Value Truncate(double number) {
  constexpr double kBound = 9.2e18;
  if (std::abs(number) < kBound) return static_cast<int64_t>(number);
  throw Fault("an integer beyond 64 bits", Fault::Kind::kUnsupported);
}

Value ApplyInt(const Value& input, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("int", arguments, {"default", "base"});
  if (bound.Integer(1, 10) != 10) {
    throw Fault("the filter \"int\" with a base", Fault::Kind::kUnsupported);
  }
  std::optional<Value> number;
  if (input.IsInteger()) {
    number = input.integer();
  } else if (input.IsNumber()) {
    number = Truncate(input.number());
  } else if (input.IsString()) {
    if (const auto whole = ParseNumber<int64_t>(input.string())) {
      number = *whole;
    } else if (const auto real = ParseNumber<double>(input.string())) {
      number = Truncate(*real);
    }
  } else if (input.IsUndefined()) {
    FailUndefined(input);
  }
  if (number) return *number;
  return bound.Has(0) ? bound[0] : Value(int64_t{0});
}

Value ApplyFloat(const Value& input, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("float", arguments, {"default"});
  if (input.IsNumber()) return input.number();
  if (input.IsUndefined()) FailUndefined(input);
  const auto number = input.IsString() ? ParseNumber<double>(input.string()) : std::nullopt;
  if (number) return *number;
  return bound.Has(0) ? bound[0] : Value(0.0);
}

Value ApplyAbs(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("abs", arguments, {});
  const bool negative = Less(input, int64_t{0}, context.budget);
  return ApplyUnary(negative ? UnaryOperator::kMinus : UnaryOperator::kPlus, input);
}

constexpr std::array<Filter, 17> kTextFilters = {{{"default", ApplyDefault},
                                                  {"d", ApplyDefault},
                                                  {"trim", ApplyTrim},
                                                  {"upper", ApplyMap<Upper>},
                                                  {"lower", ApplyMap<Lower>},
                                                  {"capitalize", ApplyMap<Capitalize>},
                                                  {"title", ApplyMap<TitleWords>},
                                                  {"string", ApplyString},
                                                  {"safe", ApplySafe},
                                                  {"escape", ApplyEscape},
                                                  {"e", ApplyEscape},
                                                  {"replace", ApplyReplace},
                                                  {"indent", ApplyIndent},
                                                  {"tojson", ApplyToJson},
                                                  {"int", ApplyInt},
                                                  {"float", ApplyFloat},
                                                  {"abs", ApplyAbs}}};

}  // namespace

const Filter* FindTextFilter(std::string_view name) {
  const auto* found = std::ranges::find(kTextFilters, name, &Filter::name);
  return found == kTextFilters.end() ? nullptr : found;
}

}  // namespace paroquant::chat
