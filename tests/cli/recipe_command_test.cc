#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "paroquant/base/file.h"
#include "paroquant/method/recipe.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

using testing::CliResult;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliJson;
using testing::TemporaryFolder;

TEST(RecipeCommandTest, ShowPrintsEveryKeyWithItsValue) {
  for (const std::string& name : method::ShippedRecipes()) {
    const CliResult result = RunCli({"recipe", "show", name});
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(io::Json::parse(result.out), method::RecipeJson(method::LoadRecipe(name)));
    EXPECT_EQ(RunCliJson({"recipe", "show", name}), io::Json::parse(result.out));
  }
  EXPECT_EQ(RunCli({"recipe", "show"}).out, RunCli({"recipe", "show", "fast"}).out);
}

// What is shown is a file to go on from, whatever that file is called.
TEST(RecipeCommandTest, WhatItShowsIsARecipe) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "größer, mit \"Zeichen\" 日本.json";
  const std::string shown = RunCli({"recipe", "show", "block", "--set", "bits=3"}).out;
  WriteFile(file, shown);
  EXPECT_EQ(RunCli({"recipe", "show", file.string()}).out, shown);
  EXPECT_EQ(io::Json::parse(shown).at("bits"), 3);
  const std::filesystem::path out = folder.path() / "Modell Ω 4 Bit";
  const CliResult quantized = RunCli({"quantize", "--model", kTinyLlama, "--out", out.string(),
                                      "--recipe", file.string(), "--plan"});
  EXPECT_EQ(quantized.exit_code, 0) << quantized.error;
  EXPECT_THAT(quantized.out, HasSubstr("3 bit"));
}

TEST(RecipeCommandTest, ListNamesTheShippedRecipes) {
  const io::Json list = RunCliJson({"recipe", "list"}).at("recipes");
  const CliResult text = RunCli({"recipe", "list"});
  std::vector<std::string> names;
  for (const io::Json& recipe : list) {
    names.push_back(recipe.at("name").get<std::string>());
    EXPECT_THAT(text.out, HasSubstr("  " + names.back() + " "));
    EXPECT_NE(recipe.at("description"), "");
  }
  EXPECT_EQ(names, method::ShippedRecipes());
}

struct RefusedCase {
  std::vector<std::string> words;
  int exit_code;
  std::string message;
};

TEST(RecipeCommandTest, MistakesAreExplained) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "recipe.json").string();
  WriteFile(file, "{\n  \"rotatoins\": 4\n}\n");
  const std::vector<RefusedCase> cases = {
      {{"recipe", "show", "fats"}, 2, "Did you mean fast?"},
      {{"recipe", "show", "--set", "bit=3"}, 2, "Did you mean \"bits\"?"},
      {{"recipe", "show", "--set", "rotations=99"}, 2, "between 1 and 16, found 99"},
      {{"recipe", "show", "--set", "rotation=\xff"}, 2, "one of none, hadamard"},
      {{"recipe", "show", file}, 3, "recipe.json:2: rotatoins"},
      {{"recipe", "show", file}, 3, "Did you mean \"rotations\"?"},
      {{"recipe", "show", (folder.path() / "absent.json").string()}, 3, "absent.json"},
      {{"recipe", "sho"}, 2, "Did you mean show?"},
      {{"recipe", "list", "fast"}, 2, "expected no recipe"},
      {{"recipe", "list", "--set", "bits=3"}, 2, "expected no recipe and no --set"},
      {{"recipe"}, 2, "expected action show|list"},
      {{"completion", "bsh"}, 2, "Did you mean bash?"},
      {{"completion"}, 2, "shell"},
      {{"man", "quantise"}, 2, "Did you mean quantize?"},
  };
  for (const RefusedCase& c : cases) {
    const CliResult result = RunCli(c.words);
    EXPECT_EQ(result.exit_code, c.exit_code) << result.error;
    EXPECT_THAT(result.error, HasSubstr(c.message));
    EXPECT_EQ(result.out, "");
  }
}

}  // namespace
}  // namespace paroquant
