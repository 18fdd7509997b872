#include "paroquant/method/recipe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/ascii.h"
#include "io/json_line.h"
#include "method/recipe_fields.h"
#include "method/shipped_recipes.h"
#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/nearest_word.h"
#include "paroquant/base/printable.h"

namespace paroquant::method {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 20;

// Where a key and its value come from, and whose fault it is if they are wrong.
struct Place {
  ErrorKind kind;
  std::string where;
};

// The keys of an object of keys, or none of a key that holds a value.
std::vector<std::string> KeysInside(const std::string& object) {
  const std::string prefix = object + ".";
  std::vector<std::string> inside;
  for (const std::string& key : RecipeKeys()) {
    if (!key.starts_with(prefix)) continue;
    const std::string name =
        key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size());
    if (std::ranges::find(inside, name) == inside.end()) inside.push_back(name);
  }
  return inside;
}

Error ObjectAsKey(const std::string& key, const std::vector<std::string>& inside,
                  const Place& place) {
  return Error(place.kind,
               {.where = place.where,
                .expected = fmt::format("one key of {}: {}", key, fmt::join(inside, ", ")),
                .found = "the object that holds them",
                .hint = fmt::format("Name the key, as in {}.{}.", key, inside.front())});
}

Error UnknownKey(const std::string& key, const Place& place) {
  const std::vector<std::string> inside = KeysInside(key);
  if (!inside.empty()) return ObjectAsKey(key, inside, place);
  std::vector<std::string> known = RecipeKeys();
  known.emplace_back("tuning");
  const std::string nearest = NearestWord(key, known);
  return Error(place.kind,
               {.where = place.where,
                .expected = "a key of a recipe",
                .found = fmt::format("\"{}\"", key),
                .hint = nearest.empty() ? "docs/recipes.md lists them all."
                                        : fmt::format("Did you mean \"{}\"?", nearest)});
}

Error BadValue(const Place& place, const std::string& expected, const io::Json& value,
               const std::string& likely = "") {
  return Error(place.kind, {.where = place.where,
                            .expected = expected,
                            .found = value.dump(-1, ' ', false, io::Json::error_handler_t::replace),
                            .hint = likely.empty() ? "docs/recipes.md says what each key means."
                                                   : fmt::format("Did you mean {}?", likely)});
}

// The choice that a mistyped word was meant to be, as JSON spells it, or "".
std::string LikelyChoice(const RecipeField& field, const io::Json& value) {
  if (!value.is_string()) return "";
  const std::string likely = LikelyWord(value.get_ref<const std::string&>(), field.choices);
  return likely.empty() || !field.read().is_string() ? likely : fmt::format("\"{}\"", likely);
}

void SetKey(Recipe& recipe, const std::string& key, const io::Json& value, const Place& place) {
  std::vector<RecipeField> fields = FieldsOf(recipe);
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [&](const RecipeField& f) { return f.key == key; });
  if (field == fields.end()) throw UnknownKey(key, place);
  if (!field->write(value)) {
    throw BadValue(place, field->expects, value, LikelyChoice(*field, value));
  }
}

// Reads one file into a recipe.
class RecipeReader {
 public:
  RecipeReader(std::string file, std::string_view text, Recipe& recipe)
      : file_(std::move(file)), text_(text), recipe_(recipe) {}

  void Read() {
    const io::Json json = io::ParseWrittenJson(text_, file_);
    SetAll(io::JsonObject(json, file_).json(), "");
  }

 private:
  // Objects inside the object are sections: {"a": {"b": 1}} is the key a.b.
  void SetAll(const io::Json& object, const std::string& prefix) {
    for (const auto& [name, value] : object.items()) {
      const std::string key = prefix + name;
      if (name.find('.') != std::string::npos) {
        throw BadValue({ErrorKind::kInput, fmt::format("{}: {}", file_, key)},
                       R"(objects in objects, as in {"tuning": {"loss": "curvature"}})",
                       "a dot in a key");
      }
      if (const auto inside = KeysInside(key); !inside.empty()) {
        RequireKind(key, value.is_object(),
                    fmt::format("an object of keys: {}", fmt::join(inside, ", ")), value);
        SetAll(value, key + ".");
      } else if (key == "$schema" || key == "description") {
        RequireKind(key, value.is_string(), "a string", value);
        if (key == "description") recipe_.description = value.get<std::string>();
      } else {
        SetKey(recipe_, key, value, PlaceOf(key));
      }
    }
  }

  Place PlaceOf(const std::string& key) const {
    return {ErrorKind::kInput, fmt::format("{}:{}: {}", file_, io::LineOfKey(text_, key), key)};
  }

  void RequireKind(const std::string& key, bool is_right, const std::string& expected,
                   const io::Json& value) const {
    if (!is_right) throw BadValue(PlaceOf(key), expected, value);
  }

  std::string file_;
  std::string_view text_;
  Recipe& recipe_;
};

Recipe FromText(std::string name, std::string_view text, const std::string& file) {
  Recipe recipe{.name = std::move(name)};
  RecipeReader(file, text, recipe).Read();
  return recipe;
}

Error UnknownRecipe(const std::string& name, const std::string& where) {
  const std::string nearest = NearestWord(AsciiLower(name), ShippedRecipes(), 2);
  return Error(
      ErrorKind::kUsage,
      {.where = where,
       .expected = fmt::format("one of {}, or a FILE.json", fmt::join(ShippedRecipes(), ", ")),
       .found = fmt::format("\"{}\"", name),
       .hint = nearest.empty() ? "\"paroquant recipe list\" says what each of them is."
                               : fmt::format("Did you mean {}?", nearest)});
}

// What a user typed: a number, true or false, or else a word.
io::Json ParseValue(const std::string& text) {
  constexpr bool kThrows = false;
  io::Json value = io::Json::parse(text, nullptr, kThrows);
  const bool is_word = value.is_discarded() || value.is_structured() || value.is_null();
  return is_word ? io::Json(text) : value;
}

}  // namespace

std::vector<std::string> ShippedRecipes() {
  std::vector<std::string> names;
  for (const ShippedRecipe& shipped : ShippedRecipeFiles()) names.emplace_back(shipped.name);
  return names;
}

Recipe LoadRecipe(const std::string& name_or_file) {
  return LoadRecipe(name_or_file, "recipe " + name_or_file);
}

Recipe LoadRecipe(const std::string& name_or_file, const std::string& where) {
  const std::filesystem::path path(name_or_file);
  if (path.extension() == ".json") {
    return FromText(Printable(path.stem().string()), ReadFile(path, kMostBytes), name_or_file);
  }
  for (const ShippedRecipe& shipped : ShippedRecipeFiles()) {
    if (name_or_file != shipped.name) continue;
    const std::string file = fmt::format("configs/{}.json", shipped.name);
    return FromText(shipped.name, shipped.json, file);
  }
  throw UnknownRecipe(name_or_file, where);
}

std::vector<std::string> RecipeKeys() {
  Recipe recipe;
  std::vector<std::string> keys;
  for (const RecipeField& field : FieldsOf(recipe)) keys.push_back(field.key);
  return keys;
}

std::vector<std::string> RecipeKeyChoices(const std::string& key) {
  Recipe recipe;
  for (const RecipeField& field : FieldsOf(recipe)) {
    if (field.key == key) return field.choices;
  }
  return {};
}

void SetRecipeKey(Recipe& recipe, const std::string& key, const io::Json& value,
                  const std::string& where) {
  SetKey(recipe, key, value, {ErrorKind::kUsage, where});
}

void SetRecipeKey(Recipe& recipe, const std::string& assignment, const std::string& where) {
  const Place place{ErrorKind::kUsage, fmt::format("{} {}", where, assignment)};
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    throw Error(place.kind, {.where = place.where,
                             .expected = "KEY=VALUE",
                             .found = "no \"=\"",
                             .hint = "Example: --set damping=0.02."});
  }
  SetKey(recipe, assignment.substr(0, equals), ParseValue(assignment.substr(equals + 1)), place);
}

io::Json RecipeJson(const Recipe& recipe) {
  Recipe copy = recipe;
  io::Json json = io::Json::object();
  for (const RecipeField& field : FieldsOf(copy)) {
    io::Json* place = &json;
    std::string_view rest = field.key;
    for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      place = &(*place)[std::string(rest.substr(0, dot))];
      rest.remove_prefix(dot + 1);
    }
    (*place)[std::string(rest)] = field.read();
  }
  return json;
}

void CheckRecipe(const Recipe& recipe) {
  Recipe copy = recipe;
  for (const RecipeField& field : FieldsOf(copy)) {
    SetRecipeKey(copy, field.key, field.read(), fmt::format("recipe: {}", field.key));
  }
}

}  // namespace paroquant::method
