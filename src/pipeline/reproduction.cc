#include "paroquant/pipeline/reproduction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "paroquant/base/printable.h"
#include "paroquant/base/shell_word.h"
#include "paroquant/model/model_name.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr char kQuantized[] = "-quantized";  // behind the source's name, the result's

// A folder's name without what only one machine or owner has, and an ending, as a shell's word.
std::string Word(const fs::path& folder, const std::string& ending = "") {
  return ShellWord(Printable(model::WithoutOwner(model::ModelName(folder)) + ending));
}

bool IsShipped(const method::Recipe& recipe) {
  const std::vector<std::string> shipped = method::ShippedRecipes();
  return std::ranges::find(shipped, recipe.name) != shipped.end();
}

// The recipe's name, and what differs from it.
void AddRecipe(const method::Recipe& recipe, std::vector<std::string>& words) {
  if (!IsShipped(recipe)) {
    words.insert(words.end(), {"--recipe", recipe.name + ".json"});
    return;
  }
  words.insert(words.end(), {"--recipe", recipe.name});
  const io::Json usual = method::RecipeJson(method::LoadRecipe(recipe.name)).flatten();
  const io::Json settings = method::RecipeJson(recipe).flatten();
  for (const auto& [path, value] : settings.items()) {
    if (usual.at(path) == value) continue;
    std::string key = path.substr(1);
    std::ranges::replace(key, '/', '.');
    words.insert(
        words.end(),
        {"--set", key + "=" + (value.is_string() ? value.get<std::string>() : value.dump())});
  }
}

}  // namespace

std::string QuantizeCommand(const QuantizeOptions& options) {
  std::vector<std::string> words;
  AddRecipe(options.recipe, words);
  const auto add = [&](const char* option, const std::string& value) {
    words.insert(words.end(), {option, value});
  };
  add("--format", FormatName(options.format));
  if (!options.target.empty()) add("--target", options.target);
  for (const std::string& pattern : options.skip) add("--skip", pattern);
  for (const LayerOverride& other : options.overrides) {
    std::vector<std::string> settings;
    if (other.bits) settings.push_back(fmt::format("bits={}", *other.bits));
    if (other.group_size) settings.push_back(fmt::format("group-size={}", *other.group_size));
    add("--override", fmt::format("{}:{}", other.pattern, fmt::join(settings, ",")));
  }
  if (options.recipe.NeedsCalibration() && !options.SamplesText()) {
    for (const std::string& file : options.calibration) {
      add("--calib", fs::path(file).filename().string());
    }
  }
  add("--seed", fmt::format("{}", options.seed));
  if (options.shard_size != QuantizeOptions().shard_size) {
    add("--shard-size", fmt::format("{}", options.shard_size));
  }
  for (std::string& word : words) word = ShellWord(Printable(word));
  return fmt::format(
      "paroquant quantize --model {} --out {} {}{}", Word(options.model),
      Word(options.model, kQuantized), fmt::join(words, " "),
      IsShipped(options.recipe) ? "" : "  # the recipe: \"settings\" in quantization_report.json");
}

std::string ConvertCommand(const fs::path& model, format::FormatKind format) {
  const std::string name = FormatName(format);
  return fmt::format("paroquant convert --model {} --out {} --format {}", Word(model),
                     Word(model, "-" + name), name);
}

std::vector<std::string> CheckCommands(const QuantizeOptions& options) {
  const std::string in = Word(options.model);
  const std::string out = Word(options.model, kQuantized);
  return {
      fmt::format("paroquant verify --model {} --source {}", out, in),
      // Like names, the place of the texts is the reader's to fill in.
      fmt::format("paroquant eval-ppl --model {} --baseline {} --data wikitext2 --data-dir DATA",
                  out, in)};
}

}  // namespace paroquant::pipeline
