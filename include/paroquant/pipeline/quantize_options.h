// What a user can ask of a quantization run.
#ifndef PAROQUANT_PIPELINE_QUANTIZE_OPTIONS_H_
#define PAROQUANT_PIPELINE_QUANTIZE_OPTIONS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace paroquant::pipeline {

enum class Recipe {
  kRtn,   // round to nearest on the min-max grid: no calibration, the baseline to beat
  kFast,  // closed-form scales and rotations, then error-compensated rounding; one pass
};

// "rtn" or "fast".
const char* RecipeName(Recipe recipe);
// The inverse; throws kUnsupported naming the recipes there are.
Recipe RecipeFromName(const std::string& name);

// Other bits or another group size for the modules in whose name a regular expression matches.
struct LayerOverride {
  std::string pattern;
  std::optional<int> bits;
  std::optional<int> group_size;
};

struct QuantizeOptions {
  std::filesystem::path model;  // a 16-bit Hugging Face folder
  std::filesystem::path out;
  bool overwrite = false;

  Recipe recipe = Recipe::kFast;
  int bits = 4;          // 2, 3, 4 or 8
  int group_size = 128;  // 32, 64 or 128
  int rotations = 8;     // 1 to 16

  std::vector<std::string> skip;  // regular expressions, matched anywhere in a module's name
  std::vector<LayerOverride> overrides;

  std::vector<std::string> calibration = {"self"};  // or files
  int64_t calibration_sequences = 128;
  int64_t sequence_length = 2048;  // tokens, cut to what the model takes
  uint64_t seed = 0;

  uint64_t shard_size = 5'000'000'000;  // bytes

  // Throws kUsage for a value out of range.
  void Validate() const;
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_QUANTIZE_OPTIONS_H_
