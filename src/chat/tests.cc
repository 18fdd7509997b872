#include "chat/tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "chat/operators.h"
#include "chat/printing.h"
#include "chat/strings.h"

namespace paroquant::chat {
namespace {

using Test = bool (*)(const Value& input);

bool IsDefined(const Value& input) { return !input.IsUndefined(); }
bool IsUndefined(const Value& input) { return input.IsUndefined(); }
bool IsNone(const Value& input) { return input.IsNone(); }
bool IsBoolean(const Value& input) { return input.Is<bool>(); }
bool IsTrue(const Value& input) { return input.Is<bool>() && input.Get<bool>(); }
bool IsFalse(const Value& input) { return input.Is<bool>() && !input.Get<bool>(); }
bool IsInteger(const Value& input) { return input.Is<int64_t>(); }
bool IsFloat(const Value& input) { return input.Is<double>(); }
bool IsNumber(const Value& input) { return input.IsNumber(); }
bool IsString(const Value& input) { return input.IsString(); }
bool IsMapping(const Value& input) { return input.IsDict(); }

bool IsIterable(const Value& input) {
  return input.IsUndefined() || input.IsString() || input.IsDict() || input.AsList() != nullptr ||
         input.Is<std::shared_ptr<Iterator>>() || input.Is<std::shared_ptr<Loop>>();
}

// What has a length and subscripts, a dict included.
bool IsSequence(const Value& input) {
  const List* list = input.AsList();
  const bool is_view =
      list != nullptr && (list->form == ListForm::kKeys || list->form == ListForm::kValues ||
                          list->form == ListForm::kItems);
  return (list != nullptr && !is_view) || input.IsUndefined() || input.IsString() || input.IsDict();
}

bool IsCallable(const Value& input) {
  return input.IsUndefined() || input.Is<std::shared_ptr<const Method>>() ||
         input.Is<const MacroStatement*>() || input.Is<Function>();
}

constexpr std::array<std::pair<std::string_view, Test>, 14> kTests = {{{"defined", IsDefined},
                                                                       {"undefined", IsUndefined},
                                                                       {"none", IsNone},
                                                                       {"boolean", IsBoolean},
                                                                       {"true", IsTrue},
                                                                       {"false", IsFalse},
                                                                       {"integer", IsInteger},
                                                                       {"float", IsFloat},
                                                                       {"number", IsNumber},
                                                                       {"string", IsString},
                                                                       {"mapping", IsMapping},
                                                                       {"iterable", IsIterable},
                                                                       {"sequence", IsSequence},
                                                                       {"callable", IsCallable}}};

constexpr std::array<std::pair<std::string_view, Comparison>, 16> kComparisons = {
    {{"==", Comparison::kEqual},
     {"eq", Comparison::kEqual},
     {"equalto", Comparison::kEqual},
     {"!=", Comparison::kNotEqual},
     {"ne", Comparison::kNotEqual},
     {"<", Comparison::kLess},
     {"lt", Comparison::kLess},
     {"lessthan", Comparison::kLess},
     {"<=", Comparison::kLessEqual},
     {"le", Comparison::kLessEqual},
     {">", Comparison::kGreater},
     {"gt", Comparison::kGreater},
     {"greaterthan", Comparison::kGreater},
     {">=", Comparison::kGreaterEqual},
     {"ge", Comparison::kGreaterEqual},
     {"in", Comparison::kIn}}};

constexpr std::array<std::string_view, 6> kOthers = {"odd",   "even",  "divisibleby",
                                                     "upper", "lower", "sameas"};

template <typename Table>
auto Find(const Table& table, std::string_view name) {
  return std::ranges::find(table, name, &Table::value_type::first);
}

int64_t Remainder(const Value& input, const Value& divisor, Budget& budget) {
  const Value rest = ApplyBinary(BinaryOperator::kModulo, input, divisor, budget);
  if (!rest.IsInteger()) throw Fault("a test of the remainder of a string");
  return rest.integer();
}

// Whether both are the same object, where that does not hang on how Python keeps its objects.
bool IsSame(const Value& left, const Value& right) {
  const auto is_single = [](const Value& value) { return value.IsNone() || value.Is<bool>(); };
  if (left.Is<bool>() && right.Is<bool>()) return left.Get<bool>() == right.Get<bool>();
  if (is_single(left) || is_single(right)) return left.IsNone() && right.IsNone();
  throw Fault("the test \"sameas\" of other than booleans and none", Fault::Kind::kUnsupported);
}

bool ApplyOther(std::string_view name, const Value& input, const Arguments& arguments,
                Budget& budget) {
  if (name == "divisibleby") {
    const BoundArguments bound(name, arguments, {"num"}, 1);
    return Remainder(input, bound[0], budget) == 0;
  }
  if (name == "sameas") {
    const BoundArguments bound(name, arguments, {"other"}, 1);
    return IsSame(input, bound[0]);
  }
  const BoundArguments bound(name, arguments, {});
  if (name == "upper") return IsUpper(ToText(input, budget));
  if (name == "lower") return IsLower(ToText(input, budget));
  return (Remainder(input, int64_t{2}, budget) == 1) == (name == "odd");
}

}  // namespace

bool HasTest(std::string_view name) {
  return Find(kTests, name) != kTests.end() || Find(kComparisons, name) != kComparisons.end() ||
         std::ranges::find(kOthers, name) != kOthers.end();
}

bool ApplyTest(std::string_view name, const Value& input, const Arguments& arguments,
               Budget& budget) {
  budget.Spend(sizeof(Value));
  if (const auto* test = Find(kTests, name); test != kTests.end()) {
    const BoundArguments bound(name, arguments, {});
    return test->second(input);
  }
  if (const auto* test = Find(kComparisons, name); test != kComparisons.end()) {
    const BoundArguments bound(name, arguments, {"other"}, 1);
    return Compare(test->second, input, bound[0], budget);
  }
  if (HasTest(name)) return ApplyOther(name, input, arguments, budget);
  throw Fault(fmt::format("the test \"{}\"", name), Fault::Kind::kUnsupported);
}

}  // namespace paroquant::chat
