#include "paroquant/method/recipe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "method/recipe_fields.h"
#include "method/shipped_recipes.h"
#include "paroquant/base/error.h"
#include "paroquant/base/nearest_word.h"

namespace paroquant::method {
namespace {

// Where a key and its value come from, and whose fault it is if they are wrong.
struct Place {
  ErrorKind kind;
  std::string where;
};

Error UnknownKey(const std::string& key, const Place& place) {
  const std::string nearest = NearestWord(key, RecipeKeys());
  return Error(place.kind,
               {.where = place.where,
                .expected = "a key of a recipe",
                .found = fmt::format("\"{}\"", key),
                .hint = nearest.empty() ? "docs/recipes.md lists them all."
                                        : fmt::format("Did you mean \"{}\"?", nearest)});
}

void SetKey(Recipe& recipe, const std::string& key, const io::Json& value, const Place& place) {
  std::vector<RecipeField> fields = FieldsOf(recipe);
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [&](const RecipeField& f) { return f.key == key; });
  if (field == fields.end()) throw UnknownKey(key, place);
  if (field->write(value)) return;
  throw Error(place.kind, {.where = place.where,
                           .expected = field->expects,
                           .found = value.dump(),
                           .hint = "docs/recipes.md says what each key means."});
}

// Objects inside the object are sections: {"a": {"b": 1}} is the key a.b.
void SetAll(Recipe& recipe, const io::Json& object, const std::string& prefix,
            const std::string& file) {
  for (const auto& [name, value] : object.items()) {
    const std::string key = prefix + name;
    if (value.is_object()) {
      SetAll(recipe, value, key + ".", file);
    } else {
      SetKey(recipe, key, value, {ErrorKind::kInput, fmt::format("{}: {}", file, key)});
    }
  }
}

Recipe FromJson(std::string name, const io::Json& json, const std::string& file) {
  const io::JsonObject object(json, file);
  Recipe recipe{.name = std::move(name)};
  SetAll(recipe, object.json(), "", file);
  return recipe;
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
  const std::filesystem::path path(name_or_file);
  if (path.extension() == ".json") {
    return FromJson(path.stem().string(), io::ReadJsonFile(path), name_or_file);
  }
  for (const ShippedRecipe& shipped : ShippedRecipeFiles()) {
    if (name_or_file != shipped.name) continue;
    const std::string file = fmt::format("configs/{}.json", shipped.name);
    return FromJson(shipped.name, io::ParseJson(shipped.json, file), file);
  }
  const std::string nearest = NearestWord(name_or_file, ShippedRecipes(), 2);
  throw Error(
      ErrorKind::kUnsupported,
      {.where = "--recipe",
       .expected = fmt::format("one of {}, or a FILE.json", fmt::join(ShippedRecipes(), ", ")),
       .found = fmt::format("\"{}\"", name_or_file),
       .hint =
           nearest.empty() ? "The default is fast." : fmt::format("Did you mean {}?", nearest)});
}

std::vector<std::string> RecipeKeys() {
  Recipe recipe;
  std::vector<std::string> keys;
  for (const RecipeField& field : FieldsOf(recipe)) keys.push_back(field.key);
  return keys;
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
