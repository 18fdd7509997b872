#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "command.h"
#include "common_options.h"
#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/method/recipe.h"
#include "text_layout.h"

namespace paroquant::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kRecipeColumn = 8;

struct RecipeArguments {
  CommonOptions common;
  std::string action;
  std::string recipe;
  std::vector<std::string> settings;
};

void RefuseArgumentsOfShow(const RecipeArguments& arguments) {
  if (arguments.recipe.empty() && arguments.settings.empty()) return;
  throw Error(ErrorKind::kUsage,
              {.where = "recipe list",
               .expected = "no recipe and no --set",
               .found = arguments.recipe.empty() ? "--set" : arguments.recipe,
               .hint = "Print a single recipe with \"paroquant recipe show NAME\"."});
}

void List(const RecipeArguments& arguments) {
  RefuseArgumentsOfShow(arguments);
  const TwoColumns table(kRecipeColumn, OutputColumns());
  Json recipes = Json::array();
  for (const std::string& name : method::ShippedRecipes()) {
    const std::string description = method::LoadRecipe(name).description;
    if (arguments.common.ShowsText()) std::cout << table.Row(name, description);
    recipes.push_back({{"name", name}, {"description", description}});
  }
  arguments.common.WriteJson({{"recipes", recipes}});
}

void Show(const RecipeArguments& arguments) {
  const std::string name = arguments.recipe.empty() ? "fast" : arguments.recipe;
  method::Recipe recipe = method::LoadRecipe(name, "recipe show " + name);
  for (const std::string& setting : arguments.settings) {
    method::SetRecipeKey(recipe, setting, "--set");
  }
  const Json json = method::RecipeJson(recipe);
  if (arguments.common.ShowsText()) std::cout << json.dump(2) << "\n";
  arguments.common.WriteJson(json);
}

int RunRecipe(const RecipeArguments& arguments) {
  arguments.common.Apply();
  if (arguments.action == "list") {
    List(arguments);
  } else {
    Show(arguments);
  }
  return 0;
}

}  // namespace

Run DeclareRecipe(CLI::App& app) {
  const auto arguments = std::make_shared<RecipeArguments>();
  AddChoice(app, "action", arguments->action, {"show", "list"},
            "print all keys of one recipe as JSON, or the names of those in the program")
      ->required();
  AddPath(app, "recipe", arguments->recipe, "the recipe to show (default: fast)")
      ->type_name(RecipeValue());
  app.add_option("--set", arguments->settings, "change a key of the recipe (repeatable)")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  arguments->common.Declare(app);
  return [arguments] { return RunRecipe(*arguments); };
}

}  // namespace paroquant::cli
