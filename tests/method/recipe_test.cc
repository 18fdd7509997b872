#include "paroquant/method/recipe.h"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "tests/testing/paths.h"

namespace paroquant::method {
namespace {

using paroquant::testing::ProjectPath;
using paroquant::testing::TemporaryFolder;
using ::testing::HasSubstr;

// The message of the Error that `body` throws, which must be of this kind.
template <typename Body>
std::string ErrorOf(ErrorKind kind, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(RecipeTest, TheDefaultsAreTheRecipeFast) {
  EXPECT_EQ(ShippedRecipes().front(), "fast");
  EXPECT_EQ(RecipeJson(LoadRecipe("fast")), RecipeJson(Recipe()));
}

TEST(RecipeTest, EveryFileOfConfigsIsPartOfTheProgram) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ProjectPath("configs"))) {
    const std::string name = entry.path().stem().string();
    if (name == "recipe.schema") continue;
    EXPECT_EQ(RecipeJson(LoadRecipe(name)), RecipeJson(LoadRecipe(entry.path().string()))) << name;
    ++count;
  }
  EXPECT_EQ(count, ShippedRecipes().size());
}

TEST(RecipeTest, AWrittenRecipeReadsBackAsItWas) {
  for (const std::string& name : ShippedRecipes()) {
    const TemporaryFolder folder;
    const Recipe recipe = LoadRecipe(name);
    CheckRecipe(recipe);
    const std::string file = (folder.path() / "other.json").string();
    WriteFile(file, RecipeJson(recipe).dump());
    EXPECT_EQ(LoadRecipe(file).name, "other");
    EXPECT_EQ(RecipeJson(LoadRecipe(file)), RecipeJson(recipe));
  }
}

// docs/recipes.md has a row "| `key` | values | meaning |" for each key and for nothing else.
TEST(RecipeTest, TheDocumentationListsTheKeysInTheirOrder) {
  const std::regex row(R"(\| `([a-z0-9_.]+)` \|[^|]*\|[^|]*\|)");
  std::ifstream file(ProjectPath("docs/recipes.md"));
  std::vector<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) documented.push_back(match[1]);
  }
  EXPECT_EQ(documented, RecipeKeys());
}

TEST(RecipeTest, KeysAreSetAsTyped) {
  Recipe recipe;
  SetRecipeKey(recipe, "bits=3", "--set");
  SetRecipeKey(recipe, "damping=1e-3", "--set");
  SetRecipeKey(recipe, "rotation=hadamard", "--set");
  EXPECT_EQ(recipe.bits, 3);
  EXPECT_EQ(recipe.layer.damping, 1e-3);
  EXPECT_EQ(recipe.layer.rotation, RotationChoice::kHadamard);
}

TEST(RecipeTest, WrongAssignmentsAreExplained) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"bit=3", "Did you mean \"bits\"?"},
      {"rotation=spiral", "none, hadamard, closed-form"},
      {"rotation=closed-from", "Did you mean \"closed-form\"?"},
      {"rotation=closed", "Did you mean \"closed-form\"?"},
      {"tuning.stage1=3",
       "expected one key of tuning.stage1: epochs, learned_grids, angles, column_scales, weights, "
       "grid_scales, grid_zeros, found the object that holds them. Name the key, as in "
       "tuning.stage1.epochs."},
      {"tuning=x", "expected one key of tuning: loss, stage1, stage2, keep_codes"},
      {"bits=5", "2, 3, 4, 8"},
      {"bits=4.0", "2, 3, 4, 8"},
      {"rotations=17", "between 1 and 16"},
      {"damping=-1", "a number between"},
      {"damping=nan", "a number between"},
      {"damping", "KEY=VALUE"},
      {"=3", "a key of a recipe"},
  };
  for (const auto& [assignment, mentions] : cases) {
    Recipe recipe;
    EXPECT_THAT(ErrorOf(ErrorKind::kUsage,
                        [&, &text = assignment] { SetRecipeKey(recipe, text, "--set"); }),
                HasSubstr(mentions));
    EXPECT_EQ(RecipeJson(recipe), RecipeJson(Recipe())) << assignment;
  }
}

TEST(RecipeTest, WrongFilesAreExplained) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "recipe.json").string();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "recipe.json"},
      {std::string(100'000, '['), "recipe.json"},
      {"{\"bits\": }", "recipe.json"},
      {"{\n  \"rounding\": \"feedback\",\n}",
       "recipe.json:3: expected valid JSON, found a syntax error at byte 29. Mend the file there"},
      {"{\"bits\": 4,\n \"rotations\": 8,\n \"bits\": 3}",
       "recipe.json:3: expected valid JSON, found the key \"bits\" twice in one object. Mend"},
      {"version https://git-lfs.github.com/spec/v1", "git lfs pull"},
      {R"({"bits": "4"})", "recipe.json:1: bits: expected one of 2, 3, 4, 8, found \"4\""},
      {"{\"bits\": 4,\n\"tuning\": {\n\"stage2\": {\"angels\": 1}}}",
       "recipe.json:3: tuning.stage2.angels: expected a key of a recipe"},
      {R"({"tunning": {"loss": "curvature"}})", "Did you mean \"tuning\"?"},
      {R"({"tuning": 1})", "expected an object of keys: loss, stage1, stage2"},
      {R"({"rotation": "closed-from"})", "Did you mean \"closed-form\"?"},
      {R"({"bits": "4"})", "Did you mean 4?"},
      {R"({"tuning.loss": "curvature"})", "objects in objects"},
      {R"({"roundin": "nearest"})", "Did you mean \"rounding\"?"},
      {R"({"bits": {"more": 3}})", "recipe.json:1: bits: expected one of"},
  };
  for (const auto& [text, mentions] : cases) {
    WriteFile(file, text);
    EXPECT_THAT(ErrorOf(ErrorKind::kInput, [&] { LoadRecipe(file); }), HasSubstr(mentions));
    std::filesystem::remove(file);
  }
}

TEST(RecipeTest, UnknownNamesAreWrongUsage) {
  const auto error = [](const std::string& name) {
    return ErrorOf(ErrorKind::kUsage, [&] { LoadRecipe(name, "here"); });
  };
  EXPECT_THAT(error("magic"), HasSubstr("here: expected one of fast"));
  EXPECT_THAT(error("magic"), HasSubstr("paroquant recipe list"));
  EXPECT_THAT(error("FAST"), HasSubstr("Did you mean fast?"));
}

TEST(RecipeTest, ValuesOutOfRangeAreFound) {
  Recipe recipe;
  recipe.rotations = 0;
  EXPECT_THAT(ErrorOf(ErrorKind::kUsage, [&] { CheckRecipe(recipe); }), HasSubstr("rotations"));
}

}  // namespace
}  // namespace paroquant::method
