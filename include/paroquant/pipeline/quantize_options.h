// What a user can ask of a quantization run.
#ifndef PAROQUANT_PIPELINE_QUANTIZE_OPTIONS_H_
#define PAROQUANT_PIPELINE_QUANTIZE_OPTIONS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/base/matrix_store.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/method/recipe.h"

namespace paroquant::pipeline {

// Other bits or another group size for the modules in whose name a regular expression matches.
struct LayerOverride {
  std::string pattern;
  std::optional<int> bits;
  std::optional<int> group_size;
};

// In place of calibration files: sequences sampled from the model itself.
inline constexpr char kSelfCalibration[] = "self";

struct QuantizeOptions {
  std::filesystem::path model;  // a 16-bit Hugging Face folder
  std::filesystem::path out;
  bool overwrite = false;
  bool resume = false;  // go on where a run into `out` stopped, if there was one

  method::Recipe recipe;
  format::FormatKind format = format::FormatKind::kParoquant;
  // An engine that must be able to load the result, see engine_rules.h; or none.
  std::string target;

  std::vector<std::string> skip;  // regular expressions, matched anywhere in a module's name
  std::vector<LayerOverride> overrides;

  std::vector<std::string> calibration = {kSelfCalibration};  // or files
  uint64_t seed = 0;

  uint64_t shard_size = 5'000'000'000;  // bytes
  // Bytes of activations that are kept in memory; what is beyond them lies in unnamed files in
  // `out` until the run ends. Changes no result.
  uint64_t memory_budget = DefaultMemoryBudget();

  // How much of the time may go to saving activations, which `resume` has to compute again as far
  // as they are not saved. Changes no result.
  double saving_share = 0.02;

  // Fills LayerReport::outliers in, for reports. Changes no result.
  bool counts_outliers = false;

  // True if the calibration text is sampled from the model.
  bool SamplesText() const;

  // Throws kUsage for a value out of range, and for calibration on files and on samples.
  void Validate() const;
};

// Rounds that every layer gets: a layout that demands a rotation holds none as one identity.
int StoredRotations(const QuantizeOptions& options);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_QUANTIZE_OPTIONS_H_
