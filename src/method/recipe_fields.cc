#include "method/recipe_fields.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace paroquant::method {
namespace {

// Names of an enumeration's values, in their order.
using Names = std::vector<std::string>;

template <typename Enum>
RecipeField Choice(const std::string& key, Enum& field, const Names& names) {
  return {.key = key,
          .expects = fmt::format("one of {}", fmt::join(names, ", ")),
          .choices = names,
          .read = [&field, names] { return io::Json(names[static_cast<size_t>(field)]); },
          .write =
              [&field, names](const io::Json& value) {
                const auto found = std::find(names.begin(), names.end(), value);
                if (found == names.end()) return false;
                field = static_cast<Enum>(found - names.begin());
                return true;
              }};
}

RecipeField OneOf(std::string key, int& field, const std::vector<int>& values) {
  std::vector<std::string> names;
  for (const int value : values) names.push_back(fmt::to_string(value));
  return {.key = std::move(key),
          .expects = fmt::format("one of {}", fmt::join(names, ", ")),
          .choices = names,
          .read = [&field] { return io::Json(field); },
          .write =
              [&field, values](const io::Json& value) {
                const auto found = std::find(values.begin(), values.end(), value);
                if (!value.is_number_integer() || found == values.end()) return false;
                field = *found;
                return true;
              }};
}

template <typename Integer>
RecipeField Integers(const std::string& key, Integer& field, Integer least, Integer most) {
  return {.key = key,
          .expects = fmt::format("an integer between {} and {}", least, most),
          .read = [&field] { return io::Json(field); },
          .write =
              [&field, least, most](const io::Json& value) {
                if (!value.is_number_integer() || value < least || value > most) return false;
                field = value.get<Integer>();
                return true;
              }};
}

RecipeField Numbers(std::string key, double& field, double least, double most) {
  return {.key = std::move(key),
          .expects = fmt::format("a number between {} and {}", least, most),
          .read = [&field] { return io::Json(field); },
          .write =
              [&field, least, most](const io::Json& value) {
                if (!value.is_number() || !(value >= least && value <= most)) return false;
                field = value.get<double>();
                return true;
              }};
}

RecipeField Flag(std::string key, bool& field) {
  return {.key = std::move(key),
          .expects = "true or false",
          .read = [&field] { return io::Json(field); },
          .write =
              [&field](const io::Json& value) {
                if (!value.is_boolean()) return false;
                field = value.get<bool>();
                return true;
              }};
}

constexpr int64_t kMostSequences = 1 << 20;

void AppendFields(LayerRecipe& recipe, std::vector<RecipeField>& fields) {
  fields.push_back(Choice("channel_scales", recipe.channel_scales,
                          {"none", "inverse-norm", "activation-aware"}));
  fields.push_back(Choice("rotation", recipe.rotation,
                          {"none", "hadamard", "closed-form", "best", "random-pairs"}));
  fields.push_back(Choice("grid", recipe.grid, {"min-max", "searched", "clipped"}));
  fields.push_back(Flag("symmetric", recipe.symmetric));
  fields.push_back(Choice("rounding", recipe.rounding, {"nearest", "feedback"}));
  fields.push_back(Choice("target", recipe.target, {"weight", "full", "shrunk"}));
  fields.push_back(Numbers("damping", recipe.damping, 1e-6, 100));
  fields.push_back(Flag("row_feedback", recipe.row_feedback));
  fields.push_back(Numbers("row_feedback_damping", recipe.row_feedback_damping, 1e-3, 1e3));
  fields.push_back(Integers<int64_t>("row_feedback_sequences", recipe.row_feedback_sequences, 1,
                                     kMostSequences));
  fields.push_back(Integers("descent_passes", recipe.descent_passes, 0, 100));
  fields.push_back(Flag("share_expert_rotations", recipe.share_expert_rotations));
}

void AppendFields(const std::string& prefix, TuningStage& stage, std::vector<RecipeField>& fields) {
  constexpr double kMostRate = 10;
  const auto rate = [&](const char* key, double& field) {
    fields.push_back(Numbers(prefix + key, field, 0, kMostRate));
  };
  fields.push_back(Integers(prefix + "epochs", stage.epochs, 0, 1000));
  fields.push_back(Flag(prefix + "learned_grids", stage.learned_grids));
  rate("angles", stage.angles);
  rate("column_scales", stage.column_scales);
  rate("weights", stage.weights);
  rate("grid_scales", stage.grid_scales);
  rate("grid_zeros", stage.grid_zeros);
}

void AppendFields(BlockTuningOptions& tuning, std::vector<RecipeField>& fields) {
  AppendFields("tuning.stage1.", tuning.stages[0], fields);
  AppendFields("tuning.stage2.", tuning.stages[1], fields);
  fields.push_back(Flag("tuning.keep_codes", tuning.keep_codes));
  fields.push_back(Numbers("tuning.margin", tuning.margin, 0, 0.49));
  fields.push_back(Flag("tuning.relative_rates", tuning.relative_rates));
  fields.push_back(Flag("tuning.exact_clamp", tuning.exact_clamp));
  fields.push_back(
      Integers<int64_t>("tuning.batch_sequences", tuning.batch_sequences, 1, kMostSequences));
  fields.push_back(Numbers("tuning.final_rate", tuning.final_rate, 0, 1));
  fields.push_back(Numbers("tuning.beta1", tuning.beta1, 0, 0.9999));
  fields.push_back(Numbers("tuning.beta2", tuning.beta2, 0, 0.9999));
  fields.push_back(Numbers("tuning.epsilon", tuning.epsilon, 1e-30, 1));
  fields.push_back(Numbers("tuning.weight_decay", tuning.weight_decay, 0, 1));
}

}  // namespace

std::vector<RecipeField> FieldsOf(Recipe& recipe) {
  std::vector<RecipeField> fields;
  fields.push_back(OneOf("bits", recipe.bits, {2, 3, 4, 8}));
  fields.push_back(OneOf("group_size", recipe.group_size, {32, 64, 128}));
  fields.push_back(Integers("rotations", recipe.rotations, 1, 16));
  fields.push_back(
      Integers<int64_t>("calibration_sequences", recipe.calibration_sequences, 1, kMostSequences));
  fields.push_back(Integers<int64_t>("sequence_length", recipe.sequence_length, 2, kMostSequences));
  fields.push_back(
      Integers<int64_t>("held_out_sequences", recipe.held_out_sequences, 1, kMostSequences));
  AppendFields(recipe.layer, fields);
  fields.push_back(Choice("tuning.loss", recipe.tuning_loss, {"smooth-l1", "curvature"}));
  AppendFields(recipe.tuning, fields);
  return fields;
}

}  // namespace paroquant::method
