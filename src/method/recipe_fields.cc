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
RecipeField Choice(std::string key, Enum& field, const Names& names) {
  return {.key = std::move(key),
          .expects = fmt::format("one of {}", fmt::join(names, ", ")),
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
  return {.key = std::move(key),
          .expects = fmt::format("one of {}", fmt::join(values, ", ")),
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
RecipeField Integers(std::string key, Integer& field, Integer least, Integer most) {
  return {.key = std::move(key),
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

constexpr int64_t kMostSequences = 1 << 20;

void AppendFields(LayerRecipe& recipe, std::vector<RecipeField>& fields) {
  fields.push_back(Choice("channel_scales", recipe.channel_scales, {"none", "inverse-norm"}));
  fields.push_back(Choice("rotation", recipe.rotation, {"none", "hadamard", "closed-form"}));
  fields.push_back(Choice("rounding", recipe.rounding, {"nearest", "feedback"}));
  fields.push_back(Choice("target", recipe.target, {"weight", "full", "shrunk"}));
  fields.push_back(Numbers("damping", recipe.damping, 1e-6, 100));
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
  return fields;
}

}  // namespace paroquant::method
