// A recipe: how a model is quantized, as plain data. docs/recipes.md documents every key. The
// shipped ones are the files of configs/, which are part of the program.
#ifndef PAROQUANT_METHOD_RECIPE_H_
#define PAROQUANT_METHOD_RECIPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/method/tuning_options.h"
#include "paroquant/quant/affine.h"

namespace paroquant::method {

enum class ChannelScaleChoice {
  kNone,
  kInverseNorm,      // evens the columns of the weight out
  kActivationAware,  // AWQ: by the inputs' magnitudes and the weight's, as far as rounding gains
};

enum class RotationChoice {
  kNone,
  kHadamard,     // the Walsh-Hadamard transform of each group
  kClosedForm,   // minimises the sum of fourth powers pair by pair
  kBest,         // of the three above for each group, or none or Hadamard for all of them
  kRandomPairs,  // pairs as the paper draws them, at angle 0: for tuning to turn
};

enum class GridChoice {
  kMinMax,    // from the least weight of a row's group to the greatest
  kSearched,  // with the least error, weighed by what an error in each channel costs
  kClipped,   // AWQ: min-max of weights clipped at the part of the range that loses least output
};

// How a group's scale and zero point are found.
struct GridRule {
  GridChoice choice = GridChoice::kSearched;
  quant::ZeroPoint zero = quant::ZeroPoint::kFree;
};

enum class RoundingChoice {
  kNearest,   // every weight by itself
  kFeedback,  // GPTQ: later channels make up for the errors of earlier ones
};

enum class TargetChoice {
  kWeight,        // the layer's own weight
  kStreamFull,    // one that makes up for what the layers before have lost, see repair_target.h
  kStreamShrunk,  // the same, as far as held-out tokens agree
};

// What tuning a block lowers, see block_loss.h.
enum class TuningLoss {
  kSmoothL1,   // every entry of the block's output counts as much
  kCurvature,  // as much as the model's own predictions say it matters
};

// How one linear layer is quantized by itself. The key of a field in a file has the field's name.
struct LayerRecipe {
  ChannelScaleChoice channel_scales = ChannelScaleChoice::kInverseNorm;
  RotationChoice rotation = RotationChoice::kBest;
  GridChoice grid = GridChoice::kSearched;
  bool symmetric = false;  // all zero points are 2^(bits - 1)
  RoundingChoice rounding = RoundingChoice::kFeedback;
  TargetChoice target = TargetChoice::kStreamShrunk;
  // > 0, added to the inputs' second moment in units of its mean diagonal, once the inputs are
  // scaled as the weight's columns are (targets: by the norms of these).
  double damping = 0.01;
  // Shall rows make up for each other's errors too, as far as the model's own predictions say that
  // outputs belong together (see row_feedback.h)?
  bool row_feedback = true;
  double row_feedback_damping = 1.0;   // as `damping`, of the outputs' gradients
  int64_t row_feedback_sequences = 8;  // of the calibration's, that gradients are taken of

  // Times that all codes are moved to where the same loss is least, given the others; with
  // feedback.
  int descent_passes = 3;

  // Shall the experts of a layer have one basis together for gate and up and one for down? That is
  // how checkpoints with experts are laid out for engines.
  bool share_expert_rotations = true;

  GridRule Grids() const {
    return {grid, symmetric ? quant::ZeroPoint::kMiddle : quant::ZeroPoint::kFree};
  }
  bool UsesRowFeedback() const { return row_feedback && rounding == RoundingChoice::kFeedback; }
  bool UsesRepairs() const { return target != TargetChoice::kWeight; }
  bool UsesDescent() const { return descent_passes > 0 && rounding == RoundingChoice::kFeedback; }
};

// The defaults are the recipe "fast".
struct Recipe {
  std::string name = "fast";  // of a shipped recipe, or of a file without its extension
  std::string description;    // what its file says of it; changes nothing
  int bits = 4;               // 2, 3, 4 or 8
  int group_size = 128;       // 32, 64 or 128
  int rotations = 8;          // rounds, 1 to 16
  int64_t calibration_sequences = 128;
  int64_t sequence_length = 2048;  // tokens, cut to what the model takes
  int64_t held_out_sequences = 8;  // more of them, which nothing is fitted to
  LayerRecipe layer;
  BlockTuningOptions tuning;  // of each block, once its layers are quantized
  TuningLoss tuning_loss = TuningLoss::kSmoothL1;

  // True if any part of it looks at the layers' inputs.
  bool NeedsCalibration() const {
    return layer.channel_scales == ChannelScaleChoice::kActivationAware ||
           layer.rotation == RotationChoice::kBest || layer.grid != GridChoice::kMinMax ||
           layer.rounding == RoundingChoice::kFeedback || layer.UsesRepairs() || tuning.Tunes();
  }

  // True if some part of it weighs errors by the gradients of the model's own predictions.
  bool UsesGradients() const { return layer.UsesRowFeedback() || UsesCurvature(); }
  bool UsesCurvature() const { return tuning.Tunes() && tuning_loss == TuningLoss::kCurvature; }
};

// The names of the recipes that are part of the program, the default first.
std::vector<std::string> ShippedRecipes();

// A shipped recipe by its name or, for a text that ends in ".json", the recipe in that file. A file
// is an object of keys, as configs/recipe.schema.json says; those it leaves out have their
// defaults. Throws kUsage for an unknown name, and kInput, naming the file, the line and the key,
// for a file that is no recipe.
Recipe LoadRecipe(const std::string& name_or_file);
// The same; `where` is what errors call the place of an unknown name.
Recipe LoadRecipe(const std::string& name_or_file, const std::string& where);

// All keys, in the order of the documentation.
std::vector<std::string> RecipeKeys();

// The values of a key that takes one of a few, as typed; none for any other.
std::vector<std::string> RecipeKeyChoices(const std::string& key);

// Sets a key to a value; `where` names the place of both in errors. Throws kUsage for a key that
// there is not, naming the nearest that there is, and for a value that the key does not take.
void SetRecipeKey(Recipe& recipe, const std::string& key, const io::Json& value,
                  const std::string& where);
// The same from "key=value", as a user types it.
void SetRecipeKey(Recipe& recipe, const std::string& assignment, const std::string& where);

// Every key with its value: as a file, this gives the same recipe.
io::Json RecipeJson(const Recipe& recipe);

// Throws kUsage if a field has a value that its key does not take.
void CheckRecipe(const Recipe& recipe);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_RECIPE_H_
