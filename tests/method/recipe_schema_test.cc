// configs/recipe.schema.json against the reader of recipes, which knows nothing of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <regex>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/method/recipe.h"
#include "tests/testing/paths.h"

namespace paroquant::method {
namespace {

namespace fs = std::filesystem;
using io::Json;
using paroquant::testing::ProjectPath;
using paroquant::testing::TemporaryFolder;
using ::testing::HasSubstr;

class RecipeSchemaTest : public ::testing::Test {
 protected:
  // The schema of a part, where that is a reference to a definition.
  const Json& Resolved(const Json& part) const {
    if (!part.contains("$ref")) return part;
    return schema_.at(Json::json_pointer(part.at("$ref").get<std::string>().substr(1)));
  }

  // What this schema uses of JSON Schema.
  bool Allows(const Json& part, const Json& value) const {
    const Json& schema = Resolved(part);
    if (schema.contains("enum")) {
      const Json& values = schema.at("enum");
      return std::find(values.begin(), values.end(), value) != values.end() &&
             !value.is_number_float();
    }
    const std::string type = schema.at("type").get<std::string>();
    if (type == "object") return AllowsMembers(schema, value);
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    const bool is_right = type == "integer" ? value.is_number_integer() : value.is_number();
    return is_right && value >= schema.at("minimum") && value <= schema.at("maximum");
  }

  bool AllowsMembers(const Json& schema, const Json& value) const {
    if (!value.is_object()) return false;
    EXPECT_FALSE(schema.at("additionalProperties").get<bool>());
    const Json& properties = schema.at("properties");
    for (const auto& [name, member] : value.items()) {
      if (!properties.contains(name) || !Allows(properties.at(name), member)) return false;
    }
    return true;
  }

  // Adds the schema of every key below `part`, in their order.
  void CollectKeys(const Json& part, const std::string& prefix) {
    for (const auto& [name, member] : Resolved(part).at("properties").items()) {
      const std::string key = prefix + name;
      if (key == "$schema" || key == "description") continue;
      if (Resolved(member).contains("properties")) {
        CollectKeys(member, key + ".");
      } else {
        keys_.emplace_back(key, member);
      }
    }
  }

  void SetUp() override { CollectKeys(schema_, ""); }

  Json schema_ = io::ReadJsonFile(ProjectPath("configs/recipe.schema.json"));
  std::vector<std::pair<std::string, Json>> keys_;
};

// "" or why the reader does not take the value.
std::string Refusal(const std::string& key, const Json& value) {
  Recipe recipe;
  try {
    SetRecipeKey(recipe, key, value, "test");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// A file with only this key, as objects in objects.
Json FileOf(std::string key, const Json& value) {
  Json file = value;
  while (!key.empty()) {
    const size_t dot = key.rfind('.');
    file = Json{{key.substr(dot == std::string::npos ? 0 : dot + 1), file}};
    key.resize(dot == std::string::npos ? 0 : dot);
  }
  return file;
}

TEST_F(RecipeSchemaTest, HasTheKeysOfTheReaderInTheirOrder) {
  std::vector<std::string> names;
  for (const auto& [key, schema] : keys_) names.push_back(key);
  EXPECT_EQ(names, RecipeKeys());
}

// Values of every kind, and those around the ends of a range: both say yes or both say no.
TEST_F(RecipeSchemaTest, AllowsWhatTheReaderTakes) {
  for (const auto& [key, schema] : keys_) {
    std::vector<Json> values = {nullptr, true, "", "none", "4", -1, 0, 1, 7, 0.5, -0.5, 1e300};
    values.push_back(Json::array({4}));
    values.push_back(Json::object());
    for (const char* end : {"minimum", "maximum"}) {
      if (!schema.contains(end)) continue;
      const auto number = schema.at(end).get<double>();
      values.push_back(schema.at(end));
      if (schema.at("type") == "integer") {
        values.push_back(schema.at(end).get<int64_t>() - 1);
        values.push_back(schema.at(end).get<int64_t>() + 1);
      }
      values.push_back(std::nextafter(number, -1e300));
      values.push_back(std::nextafter(number, 1e300));
    }
    if (schema.contains("enum")) {
      for (const Json& value : schema.at("enum")) values.push_back(value);
    }
    for (const Json& value : values) {
      EXPECT_EQ(Allows(schema_, FileOf(key, value)), Refusal(key, value).empty())
          << key << " = " << value;
    }
  }
}

// The reader has no other words than those of the schema.
TEST_F(RecipeSchemaTest, HasAllWordsOfTheReader) {
  for (const auto& [key, schema] : keys_) {
    std::vector<std::string> words;
    if (schema.contains("enum")) {
      for (const Json& value : schema.at("enum")) {
        words.push_back(value.is_string() ? value.get<std::string>() : value.dump());
      }
    }
    EXPECT_EQ(words, RecipeKeyChoices(key)) << key;
    if (words.empty()) continue;
    std::string list = words.front();
    for (size_t i = 1; i < words.size(); ++i) list += ", " + words[i];
    EXPECT_THAT(Refusal(key, "no such word"), HasSubstr("one of " + list + ", found"));
  }
}

TEST_F(RecipeSchemaTest, HasTheDefaultsOfTheReader) {
  for (const auto& [key, schema] : keys_) {
    Recipe recipe;
    SetRecipeKey(recipe, key, schema.at("default"), "test");
    EXPECT_EQ(RecipeJson(recipe), RecipeJson(Recipe())) << key;
  }
}

// The third column of docs/recipes.md, without its marks.
TEST_F(RecipeSchemaTest, DescribesKeysAsTheDocumentationDoes) {
  const std::regex row(R"(\| `([a-z0-9_.]+)` \|[^|]*\| ([^|]*) \|)");
  std::map<std::string, std::string> documented;
  std::istringstream file(ReadFile(ProjectPath("docs/recipes.md")));
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    documented[match[1]] = std::regex_replace(match[2].str(), std::regex("[`*]"), "");
  }
  for (const auto& [key, schema] : keys_) {
    EXPECT_EQ(schema.at("description"), documented[key]) << key;
  }
}

TEST_F(RecipeSchemaTest, AllowsTheShippedRecipesWhichNameIt) {
  for (const std::string& name : ShippedRecipes()) {
    const Json file = io::ReadJsonFile(ProjectPath("configs/" + name + ".json"));
    EXPECT_TRUE(Allows(schema_, file)) << name;
    EXPECT_TRUE(fs::exists(ProjectPath("configs") / file.at("$schema").get<std::string>())) << name;
    EXPECT_NE(LoadRecipe(name).description, "") << name;
  }
}

// Whole files, where keys are in the wrong place.
TEST_F(RecipeSchemaTest, RefusesTheFilesThatTheReaderRefuses) {
  const std::vector<std::pair<std::string, bool>> cases = {
      {R"({"$schema": "recipe.schema.json", "description": "mine", "bits": 3})", true},
      {R"({"tuning": {"stage1": {"epochs": 2}, "stage2": {}}})", true},
      {R"({})", true},
      {R"([])", false},
      {R"({"$schema": 3})", false},
      {R"({"description": null})", false},
      {R"({"tuning": {"$schema": "x"}})", false},
      {R"({"tuning": 3})", false},
      {R"({"tuning": {"stage3": {}}})", false},
      {R"({"tuning": {"bits": 4}})", false},
      {R"({"epochs": 1})", false},
      {R"({"nothing": {}})", false},
      {R"({"bits": {}})", false},
      {R"({"tuning.margin": 0.1})", false},
  };
  const TemporaryFolder folder;
  for (const auto& [text, is_recipe] : cases) {
    EXPECT_EQ(Allows(schema_, Json::parse(text)), is_recipe) << text;
    const fs::path file = folder.path() / "recipe.json";
    WriteFile(file, text);
    bool taken = true;
    try {
      LoadRecipe(file.string());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
      taken = false;
    }
    EXPECT_EQ(taken, is_recipe) << text;
    fs::remove(file);
  }
}

}  // namespace
}  // namespace paroquant::method
