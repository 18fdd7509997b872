#include "chat/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "chat/strings.h"

namespace paroquant::chat {
namespace {

constexpr int kMaxValueNesting = 100;

using TextPointer = std::shared_ptr<const Text>;
using ListPointer = std::shared_ptr<const List>;
using DictPointer = std::shared_ptr<const Dict>;

// Of everything that is freed with the value.
int DepthOf(const Value& value) {
  if (const List* list = value.AsList()) return list->depth;
  if (value.IsDict()) return value.dict().depth;
  if (value.Is<std::shared_ptr<Iterator>>()) {
    return 1 + value.Get<std::shared_ptr<Iterator>>()->list->depth;
  }
  if (value.Is<std::shared_ptr<Loop>>()) {
    return 1 + value.Get<std::shared_ptr<Loop>>()->source->list->depth;
  }
  if (value.Is<std::shared_ptr<const Method>>()) {
    return 1 + DepthOf(value.Get<std::shared_ptr<const Method>>()->receiver);
  }
  return 0;
}

int CheckedDepth(int depth) {
  if (depth <= kMaxValueNesting) return depth;
  throw Fault(fmt::format("lists nested deeper than {}", kMaxValueNesting),
              Fault::Kind::kUnsupported);
}

Value NumberFromJson(const io::Json& json) {
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
    throw Fault("an integer beyond 64 bits", Fault::Kind::kUnsupported);
  }
  return json.get<int64_t>();
}

bool EqualItems(const List& left, const List& right, Budget& budget) {
  if (left.form != right.form) return false;
  return std::ranges::equal(left.items, right.items,
                            [&](const Value& a, const Value& b) { return Equal(a, b, budget); });
}

bool EqualEntries(const Dict& left, const Dict& right, Budget& budget) {
  if (left.entries.size() != right.entries.size()) return false;
  return std::ranges::all_of(left.entries, [&](const auto& entry) {
    const Value* other = right.Find(entry.first, budget);
    return other != nullptr && Equal(entry.second, *other, budget);
  });
}

bool LessItems(const List& left, const List& right, Budget& budget) {
  for (size_t i = 0; i < std::min(left.items.size(), right.items.size()); ++i) {
    if (Equal(left.items[i], right.items[i], budget)) continue;
    return Less(left.items[i], right.items[i], budget);
  }
  return left.items.size() < right.items.size();
}

ListPointer Characters(const std::string& text, Budget& budget) {
  budget.Spend(text.size() * sizeof(Value));
  List list;
  for (size_t position = 0; position < text.size();) {
    const size_t length = text::Utf8Length(text[position]);
    list.items.push_back(Value::String(text.substr(position, length)));
    position += length;
  }
  return std::make_shared<const List>(std::move(list));
}

ListPointer KeysOf(const Dict& dict, Budget& budget) {
  budget.Spend(dict.entries.size() * sizeof(Value));
  List list;
  for (const auto& [key, value] : dict.entries) list.items.push_back(key);
  return std::make_shared<const List>(std::move(list));
}

}  // namespace

Value Value::String(std::string text, bool safe) {
  return std::make_shared<const Text>(Text{std::move(text), safe});
}

Value Value::MakeList(std::vector<Value> items) { return MakeList(std::move(items), {}); }

Value Value::MakeList(std::vector<Value> items, ListForm form) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, DepthOf(item));
  return std::make_shared<const List>(List{std::move(items), form, CheckedDepth(depth + 1)});
}

Value Value::MakeDict(std::vector<std::pair<Value, Value>> entries, Budget& budget) {
  Dict dict;
  int depth = 0;
  for (std::pair<Value, Value>& entry : entries) {
    const Value& key = entry.first;
    if (!IsHashable(key)) throw Fault(fmt::format("unhashable type: '{}'", TypeName(key)));
    depth = std::max({depth, DepthOf(key), DepthOf(entry.second)});
    const auto same = std::ranges::find_if(
        dict.entries, [&](const auto& other) { return Equal(other.first, key, budget); });
    if (same == dict.entries.end()) {
      dict.entries.push_back(std::move(entry));
    } else {
      same->second = std::move(entry.second);
    }
  }
  dict.depth = CheckedDepth(depth + 1);
  return std::make_shared<const Dict>(std::move(dict));
}

Value Value::FromJson(const io::Json& json, Budget& budget) {
  budget.Spend(sizeof(Value));
  if (json.is_null()) return None{};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number()) return NumberFromJson(json);
  if (json.is_string()) return String(json.get<std::string>());
  if (json.is_array()) {
    std::vector<Value> items;
    for (const io::Json& item : json) items.push_back(FromJson(item, budget));
    return MakeList(std::move(items));
  }
  Dict dict;  // whose keys are known to differ
  int depth = 0;
  for (const auto& [key, item] : json.items()) {
    dict.entries.emplace_back(String(key), FromJson(item, budget));
    depth = std::max(depth, DepthOf(dict.entries.back().second));
  }
  dict.depth = CheckedDepth(depth + 1);
  return std::make_shared<const Dict>(std::move(dict));
}

bool Value::IsSafe() const { return IsString() && Get<TextPointer>()->safe; }

const List* Value::AsList() const { return Is<ListPointer>() ? Get<ListPointer>().get() : nullptr; }

const Value* Dict::Find(const Value& key, Budget& budget) const {
  for (const auto& [name, value] : entries) {
    if (Equal(name, key, budget)) return &value;
  }
  return nullptr;
}

const Value* Dict::Find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.IsString() && name.string() == key) return &value;
  }
  return nullptr;
}

const Value* Namespace::Find(std::string_view name) const {
  const auto found = std::ranges::find(attributes, name, &std::pair<std::string, Value>::first);
  return found == attributes.end() ? nullptr : &found->second;
}

void Namespace::Set(std::string_view name, Value value) {
  const auto found = std::ranges::find(attributes, name, &std::pair<std::string, Value>::first);
  if (found == attributes.end()) {
    attributes.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

std::string TypeName(const Value& value) {
  if (const List* list = value.AsList()) {
    static constexpr const char* kNames[] = {"list",      "tuple",       "range",
                                             "dict_keys", "dict_values", "dict_items"};
    return kNames[static_cast<size_t>(list->form)];
  }
  static constexpr const char* kNames[] = {
      "Undefined", "NoneType",  "bool",        "int",    "float",     "str",   "list",
      "dict",      "generator", "LoopContext", "method", "Namespace", "Macro", "function"};
  static_assert(std::size(kNames) == std::variant_size_v<Value::Storage>);
  return kNames[value.storage().index()];
}

bool Truth(const Value& value) {
  if (value.IsNumber()) return value.number() != 0.0;
  if (value.IsString()) return !value.string().empty();
  if (const List* list = value.AsList()) return !list->items.empty();
  if (value.IsDict()) return !value.dict().entries.empty();
  return !value.IsUndefined() && !value.IsNone();
}

bool IsHashable(const Value& value) {
  const List* list = value.AsList();
  if (list == nullptr) return !value.IsDict();
  return list->form != ListForm::kList && std::ranges::all_of(list->items, IsHashable);
}

bool Equal(const Value& left, const Value& right, Budget& budget) {
  budget.Spend(sizeof(Value));
  if (left.IsInteger() && right.IsInteger()) return left.integer() == right.integer();
  if (left.IsNumber() && right.IsNumber()) return left.number() == right.number();
  if (left.storage().index() != right.storage().index()) return false;
  if (left.IsUndefined() || left.IsNone()) return true;
  if (left.IsString()) {
    if (left.string().size() != right.string().size()) return false;
    budget.Spend(left.string().size());
    return left.string() == right.string();
  }
  if (const List* list = left.AsList()) return EqualItems(*list, *right.AsList(), budget);
  if (left.IsDict()) return EqualEntries(left.dict(), right.dict(), budget);
  if (left.Is<Namespace*>()) return left.Get<Namespace*>() == right.Get<Namespace*>();
  throw Fault(fmt::format("values of type '{}' compared", TypeName(left)),
              Fault::Kind::kUnsupported);
}

bool Less(const Value& left, const Value& right, Budget& budget) {
  budget.Spend(sizeof(Value));
  if (left.IsInteger() && right.IsInteger()) return left.integer() < right.integer();
  if (left.IsNumber() && right.IsNumber()) return left.number() < right.number();
  if (left.IsString() && right.IsString()) {
    budget.Spend(std::min(left.string().size(), right.string().size()));
    return left.string() < right.string();  // the order of UTF-8 is that of the characters
  }
  const List* list = left.AsList();
  const List* other = right.AsList();
  const bool ordered = list != nullptr && other != nullptr && list->form == other->form &&
                       (list->form == ListForm::kList || list->form == ListForm::kTuple);
  if (ordered) return LessItems(*list, *other, budget);
  if (left.IsUndefined()) FailUndefined(left);
  if (right.IsUndefined()) FailUndefined(right);
  throw Fault(
      fmt::format("values of types '{}' and '{}' have no order", TypeName(left), TypeName(right)));
}

std::shared_ptr<Iterator> Iterate(const Value& value, Budget& budget) {
  budget.Spend(sizeof(Value));
  if (value.Is<std::shared_ptr<Iterator>>()) return value.Get<std::shared_ptr<Iterator>>();
  Iterator iterator;
  if (value.Is<ListPointer>()) {
    iterator.list = value.Get<ListPointer>();
  } else if (value.IsString()) {
    iterator.list = Characters(value.string(), budget);
  } else if (value.IsDict()) {
    iterator.list = KeysOf(value.dict(), budget);
  } else if (value.IsUndefined()) {
    iterator.list = std::make_shared<const List>();
  } else {
    throw Fault(fmt::format("'{}' object is not iterable", TypeName(value)));
  }
  return std::make_shared<Iterator>(std::move(iterator));
}

std::vector<Value> Items(const Value& value, Budget& budget) {
  const std::shared_ptr<Iterator> iterator = Iterate(value, budget);
  const std::vector<Value>& items = iterator->list->items;
  budget.Spend((items.size() - iterator->next) * sizeof(Value));
  std::vector<Value> rest(items.begin() + static_cast<int64_t>(iterator->next), items.end());
  iterator->next = items.size();
  return rest;
}

int64_t Length(const Value& value, Budget& budget) {
  if (value.IsUndefined()) return 0;
  if (value.IsString()) {
    budget.Spend(value.string().size());
    return CountCharacters(value.string());
  }
  if (const List* list = value.AsList()) return std::ssize(list->items);
  if (value.IsDict()) return std::ssize(value.dict().entries);
  throw Fault(fmt::format("object of type '{}' has no len()", TypeName(value)));
}

void FailUndefined(const Value& undefined) { throw Fault(undefined.Get<Undefined>().message); }

}  // namespace paroquant::chat
