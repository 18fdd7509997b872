// Filters of lists and dicts.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "chat/filters.h"
#include "chat/operators.h"
#include "chat/printing.h"
#include "chat/strings.h"
#include "chat/tests.h"

namespace paroquant::chat {
namespace {

// What Python makes as a generator: to be gone through once.
Value Generator(std::vector<Value> items) {
  const Value list = Value::MakeList(std::move(items));
  return std::make_shared<Iterator>(
      Iterator{.list = list.Get<std::shared_ptr<const List>>(), .next = 0});
}

Arguments Behind(const Arguments& arguments, size_t count) {
  Arguments rest{.positional = {}, .named = arguments.named};
  const auto& all = arguments.positional;
  rest.positional.assign(all.begin() + static_cast<int64_t>(std::min(count, all.size())),
                         all.end());
  return rest;
}

Value ApplyLength(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("length", arguments, {});
  return Length(input, context.budget);
}

Value ApplyList(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("list", arguments, {});
  return Value::MakeList(Items(input, context.budget));
}

Value ApplyFirst(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("first", arguments, {});
  const std::shared_ptr<Iterator> iterator = Iterate(input, context.budget);
  const std::vector<Value>& items = iterator->list->items;
  if (iterator->next < items.size()) return items[iterator->next++];
  return Value::MakeUndefined("No first item, sequence was empty.");
}

// For what Python's reversed() takes.
std::vector<Value> Reversed(const Value& input, Context& context) {
  if (input.Is<std::shared_ptr<Iterator>>()) {
    throw Fault("'generator' object is not reversible");
  }
  std::vector<Value> items = Items(input, context.budget);
  std::ranges::reverse(items);
  return items;
}

Value ApplyLast(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("last", arguments, {});
  const std::vector<Value> items = Reversed(input, context);
  if (!items.empty()) return items.front();
  return Value::MakeUndefined("No last item, sequence was empty.");
}

Value ApplyReverse(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("reverse", arguments, {});
  if (input.Is<std::shared_ptr<Iterator>>()) {  // which can only be reversed as a list
    std::vector<Value> items = Items(input, context.budget);
    std::ranges::reverse(items);
    return Value::MakeList(std::move(items));
  }
  std::vector<Value> items = Reversed(input, context);
  if (!input.IsString()) return Generator(std::move(items));
  std::string text;
  for (const Value& item : items) text += item.string();
  return Value::String(std::move(text), input.IsSafe());
}

Value ApplyJoin(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("join", arguments, {"d", "attribute"});
  const std::string separator = bound.Has(0) ? ToText(bound[0], context.budget) : "";
  std::string joined;
  const char* begin = "";
  for (const Value& item : Items(input, context.budget)) {
    context.budget.Spend(separator.size());
    if (*begin != '\0') joined += separator;
    begin = " ";
    const Value* path = bound.Find(1);
    joined += ToText(path == nullptr ? item : GetPath(item, *path, context.budget), context.budget);
  }
  return Value::String(std::move(joined));
}

Value ApplyItems(const Value& input, const Arguments& arguments, Context& /*context*/) {
  const BoundArguments bound("items", arguments, {});
  if (input.IsUndefined()) return Generator({});
  if (!input.IsDict()) throw Fault("Can only get item pairs from a mapping.");
  std::vector<Value> pairs;
  for (const auto& [key, value] : input.dict().entries) {
    pairs.push_back(Value::MakeList({key, value}, ListForm::kTuple));
  }
  return Generator(std::move(pairs));
}

// map(filter, arguments...) or map(attribute=path, default=value)
Value ApplyMap(const Value& input, const Arguments& arguments, Context& context) {
  std::vector<Value> mapped;
  if (!Truth(input)) return Generator({});  // none included, as Jinja has it
  if (arguments.positional.empty()) {
    const BoundArguments bound("map", {.positional = {}, .named = arguments.named},
                               {"attribute", "default"}, 1);
    for (const Value& item : Items(input, context.budget)) {
      Value value = GetPath(item, bound[0], context.budget);
      mapped.push_back(value.IsUndefined() && bound.Find(1) != nullptr ? bound[1] : value);
    }
    return Generator(std::move(mapped));
  }
  if (!arguments.positional.front().IsString()) throw Fault("map needs the name of a filter");
  const std::string& name = arguments.positional.front().string();
  const Arguments rest = Behind(arguments, 1);
  for (const Value& item : Items(input, context.budget)) {
    mapped.push_back(ApplyFilter(name, item, rest, context));
  }
  return Generator(std::move(mapped));
}

// Of each item, or of what stands there under the path that is the first argument, the test that
// the next one names; without a name, whether it is true.
template <bool kByPath, bool kWanted>
Value ApplySelect(const Value& input, const Arguments& arguments, Context& context) {
  constexpr size_t kName = kByPath ? 1 : 0;
  if (!Truth(input)) return Generator({});
  if (arguments.positional.size() < kName) throw Fault("selectattr needs the path of a key");
  const bool has_test = arguments.positional.size() > kName;
  if (has_test && !arguments.positional[kName].IsString()) {
    throw Fault("select needs the name of a test");
  }
  const Arguments rest = Behind(arguments, kName + 1);
  const auto holds = [&](const Value& value) {
    if (!has_test) return Truth(value);
    return ApplyTest(arguments.positional[kName].string(), value, rest, context.budget);
  };
  std::vector<Value> selected;
  for (const Value& item : Items(input, context.budget)) {
    const bool held =
        holds(kByPath ? GetPath(item, arguments.positional.front(), context.budget) : item);
    if (held == kWanted) selected.push_back(item);
  }
  return Generator(std::move(selected));
}

// By what Jinja compares items: under a path if there is one, strings without their case.
Value SortKey(const Value& item, const Value* path, bool case_sensitive, Context& context) {
  Value key = path == nullptr ? item : GetPath(item, *path, context.budget);
  if (case_sensitive || !key.IsString()) return key;
  context.budget.Spend(key.string().size());
  return Value::String(Lower(key.string()));
}

using Keyed = std::pair<Value, Value>;  // key, item

std::vector<Keyed> WithKeys(const Value& input, const Value* path, bool case_sensitive,
                            Context& context) {
  std::vector<Keyed> keyed;
  for (const Value& item : Items(input, context.budget)) {
    keyed.emplace_back(SortKey(item, path, case_sensitive, context), item);
  }
  return keyed;
}

// Equal ones keep their order, in a reversed sort, too.
void SortByKey(std::vector<Keyed>& keyed, bool reverse, Context& context) {
  std::ranges::stable_sort(keyed, [&](const Keyed& left, const Keyed& right) {
    return reverse ? Less(right.first, left.first, context.budget)
                   : Less(left.first, right.first, context.budget);
  });
}

std::vector<Value> ItemsOf(std::vector<Keyed> keyed) {
  std::vector<Value> items;
  for (Keyed& pair : keyed) items.push_back(std::move(pair.second));
  return items;
}

Value ApplySort(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  if (bound.Find(2) != nullptr && bound[2].IsString() &&
      bound[2].string().find(',') != std::string::npos) {
    throw Fault("a sort by several keys", Fault::Kind::kUnsupported);
  }
  std::vector<Keyed> keyed = WithKeys(input, bound.Find(2), bound.Flag(1, false), context);
  // Jinja compares lists of keys, which need no order where they are equal.
  for (Keyed& pair : keyed) pair.first = Value::MakeList({pair.first});
  SortByKey(keyed, bound.Flag(0, false), context);
  return Value::MakeList(ItemsOf(std::move(keyed)));
}

Value ApplyDictSort(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const std::string* by = bound.String(1);
  if (by != nullptr && *by != "key" && *by != "value") {
    throw Fault("You can only sort by either \"key\" or \"value\"");
  }
  if (input.IsUndefined()) FailUndefined(input);
  if (!input.IsDict()) throw Fault(fmt::format("dictsort of a '{}'", TypeName(input)));
  const Value place = int64_t{by != nullptr && *by == "value" ? 1 : 0};
  std::vector<Keyed> keyed =
      WithKeys(Value::MakeList(Items(ApplyItems(input, {}, context), context.budget)), &place,
               bound.Flag(0, false), context);
  SortByKey(keyed, bound.Flag(2, false), context);
  return Value::MakeList(ItemsOf(std::move(keyed)));
}

Value ApplyUnique(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("unique", arguments, {"case_sensitive", "attribute"});
  std::vector<Value> keys;
  std::vector<Value> items;
  for (auto& [key, item] : WithKeys(input, bound.Find(1), bound.Flag(0, false), context)) {
    if (!IsHashable(key)) throw Fault(fmt::format("unhashable type: '{}'", TypeName(key)));
    const auto is_same = [&, &one = key](const Value& other) {
      return Equal(one, other, context.budget);
    };
    if (std::ranges::any_of(keys, is_same)) continue;
    keys.push_back(key);
    items.push_back(item);
  }
  return Generator(std::move(items));
}

template <bool kLeast>
Value ApplyExtreme(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound(kLeast ? "min" : "max", arguments, {"case_sensitive", "attribute"});
  const std::vector<Keyed> keyed = WithKeys(input, bound.Find(1), bound.Flag(0, false), context);
  if (keyed.empty()) return Value::MakeUndefined("No aggregated item, sequence was empty.");
  const auto before = [&](const Keyed& left, const Keyed& right) {
    return kLeast ? Less(left.first, right.first, context.budget)
                  : Less(right.first, left.first, context.budget);
  };
  return std::ranges::min_element(keyed, before)->second;
}

Value ApplySum(const Value& input, const Arguments& arguments, Context& context) {
  const BoundArguments bound("sum", arguments, {"attribute", "start"});
  Value sum = bound.Has(1) ? bound[1] : Value(int64_t{0});
  for (const Value& item : Items(input, context.budget)) {
    const Value* path = bound.Find(0);
    const Value part = path == nullptr ? item : GetPath(item, *path, context.budget);
    sum = ApplyBinary(BinaryOperator::kAdd, sum, part, context.budget);
  }
  return sum;
}

constexpr std::array<Filter, 19> kListFilters = {{{"length", ApplyLength},
                                                  {"count", ApplyLength},
                                                  {"list", ApplyList},
                                                  {"first", ApplyFirst},
                                                  {"last", ApplyLast},
                                                  {"reverse", ApplyReverse},
                                                  {"join", ApplyJoin},
                                                  {"items", ApplyItems},
                                                  {"map", ApplyMap},
                                                  {"select", ApplySelect<false, true>},
                                                  {"reject", ApplySelect<false, false>},
                                                  {"selectattr", ApplySelect<true, true>},
                                                  {"rejectattr", ApplySelect<true, false>},
                                                  {"sort", ApplySort},
                                                  {"dictsort", ApplyDictSort},
                                                  {"unique", ApplyUnique},
                                                  {"min", ApplyExtreme<true>},
                                                  {"max", ApplyExtreme<false>},
                                                  {"sum", ApplySum}}};

}  // namespace

const Filter* FindListFilter(std::string_view name) {
  const auto* found = std::ranges::find(kListFilters, name, &Filter::name);
  return found == kListFilters.end() ? nullptr : found;
}

}  // namespace paroquant::chat
