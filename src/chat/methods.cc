#include "chat/methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "chat/operators.h"

namespace paroquant::chat {
namespace {

// All methods of Python's types, implemented or not: a key of a dict is no attribute where the dict
// has a method of that name.
constexpr std::array<std::string_view, 47> kOfStrings = {
    "capitalize", "casefold",     "center",       "count",      "encode",  "endswith",
    "expandtabs", "find",         "format",       "format_map", "index",   "isalnum",
    "isalpha",    "isascii",      "isdecimal",    "isdigit",    "islower", "isidentifier",
    "isnumeric",  "isprintable",  "isspace",      "istitle",    "isupper", "join",
    "ljust",      "lower",        "lstrip",       "maketrans",  "replace", "partition",
    "rfind",      "removeprefix", "removesuffix", "rindex",     "rjust",   "rpartition",
    "rsplit",     "rstrip",       "split",        "splitlines", "strip",   "startswith",
    "swapcase",   "title",        "translate",    "upper",      "zfill"};
constexpr std::array<std::string_view, 11> kOfLists = {"append", "clear",   "copy",   "count",
                                                       "extend", "index",   "insert", "pop",
                                                       "remove", "reverse", "sort"};
constexpr std::array<std::string_view, 2> kOfTuples = {"count", "index"};
constexpr std::array<std::string_view, 11> kOfDicts = {
    "clear", "copy",    "fromkeys",   "get",    "items", "keys",
    "pop",   "popitem", "setdefault", "update", "values"};

constexpr std::array<std::string_view, 7> kImplemented = {"copy",  "count", "get",   "index",
                                                          "items", "keys",  "values"};
constexpr std::array<std::string_view, 11> kChanging = {
    "append", "clear",   "extend",     "insert", "pop",   "popitem",
    "remove", "reverse", "setdefault", "sort",   "update"};

bool Holds(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::span<const std::string_view> MethodsOf(const Value& value) {
  if (value.IsString()) return kOfStrings;
  if (value.IsDict()) return kOfDicts;
  const List* list = value.AsList();
  if (list == nullptr) return {};
  if (list->form == ListForm::kList) return kOfLists;
  return list->form == ListForm::kTuple || list->form == ListForm::kRange
             ? std::span<const std::string_view>(kOfTuples)
             : std::span<const std::string_view>();
}

// The method "get", "items", ... of a dict, which is the receiver.
Value CallDictMethod(const Method& method, const Arguments& arguments, Context& context) {
  const Dict& dict = method.receiver.dict();
  if (method.name == "get") {
    const BoundArguments bound("get", arguments, {"key", "default"}, 1);
    const Value* found = dict.Find(bound[0], context.budget);
    if (found != nullptr) return *found;
    return bound.Has(1) ? bound[1] : Value(None{});
  }
  const BoundArguments bound(method.name, arguments, {});
  if (method.name == "copy") return method.receiver;
  context.budget.Spend(3 * dict.entries.size() * sizeof(Value));
  std::vector<Value> items;
  for (const auto& [key, value] : dict.entries) {
    items.push_back(method.name == "items"  ? Value::MakeList({key, value}, ListForm::kTuple)
                    : method.name == "keys" ? key
                                            : value);
  }
  const ListForm form = method.name == "items"  ? ListForm::kItems
                        : method.name == "keys" ? ListForm::kKeys
                                                : ListForm::kValues;
  return Value::MakeList(std::move(items), form);
}

Value CallListMethod(const Method& method, const Arguments& arguments, Context& context) {
  if (method.name == "copy") {
    const BoundArguments bound("copy", arguments, {});
    return method.receiver;
  }
  const BoundArguments bound(method.name, arguments, {"value"}, 1);
  const std::vector<Value>& items = method.receiver.AsList()->items;
  const auto is_it = [&](const Value& item) { return Equal(item, bound[0], context.budget); };
  if (method.name == "count") return int64_t{std::ranges::count_if(items, is_it)};
  const auto found = std::ranges::find_if(items, is_it);
  if (found == items.end()) throw Fault("a value that is not in the list");
  return int64_t{found - items.begin()};
}

Value MakeRange(const Arguments& arguments, Context& context) {
  constexpr int64_t kMost = 100000;  // as Jinja's sandbox has it
  const BoundArguments bound("range", arguments, {"start", "stop", "step"}, 1);
  const int64_t start = bound.Has(1) ? bound.Integer(0, 0) : 0;
  const int64_t stop = bound.Has(1) ? bound.Integer(1, 0) : bound.Integer(0, 0);
  const int64_t step = bound.Integer(2, 1);
  if (step == 0) throw Fault("range() arg 3 must not be zero");
  std::vector<Value> items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (std::ssize(items) == kMost) {
      throw Fault(fmt::format("Range too big. The sandbox blocks ranges larger than {}.", kMost));
    }
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  context.budget.Spend(items.size() * sizeof(Value));
  return Value::MakeList(std::move(items), ListForm::kRange);
}

// The entries that dict() and namespace() are given: a dict's, and the named arguments.
Value MakeDict(std::string_view callee, const Arguments& arguments, Context& context) {
  std::vector<std::pair<Value, Value>> entries;
  if (!arguments.positional.empty()) {
    const BoundArguments bound(callee, {.positional = arguments.positional, .named = {}},
                               {"entries"});
    if (bound[0].IsUndefined()) FailUndefined(bound[0]);
    if (!bound[0].IsDict()) {
      throw Fault(fmt::format("{} of a '{}'", callee, TypeName(bound[0])),
                  Fault::Kind::kUnsupported);
    }
    entries = bound[0].dict().entries;
  }
  for (const auto& [name, value] : arguments.named) {
    entries.emplace_back(Value::String(name), value);
  }
  context.budget.Spend(entries.size() * sizeof(Value));
  return Value::MakeDict(std::move(entries), context.budget);
}

Value MakeNamespace(const Arguments& arguments, Context& context) {
  const Value dict = MakeDict("namespace", arguments, context);
  context.budget.Spend(sizeof(Namespace) + dict.dict().entries.size() * sizeof(Value));
  Namespace& space = context.namespaces.emplace_back();
  for (const auto& [name, value] : dict.dict().entries) {
    if (name.IsString()) space.Set(name.string(), value);
  }
  return &space;
}

Value FormatNow(const Arguments& arguments, Context& context) {
  const BoundArguments bound("strftime_now", arguments, {"format"}, 1);
  const std::string* format = bound.String(0);
  if (format == nullptr) throw Fault("strftime_now needs a string");
  constexpr size_t kLongest = 1000;
  std::array<char, kLongest> text{};
  const size_t size = std::strftime(text.data(), text.size(), format->c_str(), &context.now);
  if (size == 0 && !format->empty()) throw Fault("strftime_now needs a short format");
  return Value::String(std::string(text.data(), size));
}

constexpr std::array<std::pair<std::string_view, Function>, 5> kFunctions = {
    {{"dict", Function::kDict},
     {"namespace", Function::kNamespace},
     {"raise_exception", Function::kRaiseException},
     {"range", Function::kRange},
     {"strftime_now", Function::kStrftimeNow}}};

}  // namespace

bool IsCallable(std::string_view name) {
  return Holds(kImplemented, name) || Holds(kChanging, name) || HasStringMethod(name);
}

std::optional<Value> FindMethod(const Value& value, std::string_view name) {
  if (!Holds(MethodsOf(value), name)) return std::nullopt;
  if (!value.IsString() && Holds(kChanging, name)) {
    return Value::MakeUndefined(
        fmt::format("access to attribute '{}' of '{}' object is unsafe.", name, TypeName(value)));
  }
  return std::make_shared<const Method>(Method{value, std::string(name)});
}

Value CallMethod(const Method& method, const Arguments& arguments, Context& context) {
  if (method.receiver.IsString()) return CallStringMethod(method, arguments, context);
  if (!Holds(kImplemented, method.name)) {
    throw Fault(fmt::format("the method \"{}\"", method.name), Fault::Kind::kUnsupported);
  }
  if (method.receiver.IsDict()) return CallDictMethod(method, arguments, context);
  return CallListMethod(method, arguments, context);
}

std::optional<Value> FindFunction(std::string_view name) {
  const auto* found =
      std::ranges::find(kFunctions, name, &std::pair<std::string_view, Function>::first);
  return found == kFunctions.end() ? std::nullopt : std::optional<Value>(found->second);
}

Value CallFunction(Function function, const Arguments& arguments, Context& context) {
  switch (function) {
    case Function::kDict:
      return MakeDict("dict", arguments, context);
    case Function::kNamespace:
      return MakeNamespace(arguments, context);
    case Function::kRange:
      return MakeRange(arguments, context);
    case Function::kStrftimeNow:
      return FormatNow(arguments, context);
    case Function::kRaiseException:
      break;
  }
  const BoundArguments bound("raise_exception", arguments, {"message"}, 1);
  throw Fault(bound[0].IsString() ? bound[0].string() : "an error of the template");
}

}  // namespace paroquant::chat
