#include "pipeline/calibration_text.h"

#include <algorithm>

#include "paroquant/base/error.h"
#include "paroquant/runtime/sampler.h"
#include "paroquant/text/dataset.h"
#include "paroquant/text/tokenizer.h"

namespace paroquant::pipeline {
namespace {

constexpr char kSelf[] = "self";

// File names without their folders: the report is the same wherever the files lie.
std::string SourceName(const std::vector<std::string>& files) {
  std::string names;
  for (const std::string& file : files) {
    names += (names.empty() ? "" : ", ") + std::filesystem::path(file).filename().string();
  }
  return names;
}

}  // namespace

CalibrationText LoadCalibrationText(const QuantizeOptions& options,
                                    const runtime::LanguageModel& model, Progress& progress) {
  const int64_t length =
      std::min(options.recipe.sequence_length, model.architecture().max_positions);
  const std::vector<std::string>& files = options.calibration;
  if (std::find(files.begin(), files.end(), kSelf) == files.end()) {
    const auto tokenizer = text::Tokenizer::Load(options.model / "tokenizer.json");
    const std::vector<std::filesystem::path> paths(files.begin(), files.end());
    return {SourceName(files),
            text::CalibrationSequences(tokenizer, paths,
                                       {.sequences = options.recipe.calibration_sequences,
                                        .length = length,
                                        .seed = options.seed,
                                        .bos_id = model.architecture().bos_token_id})};
  }
  if (files.size() > 1) {
    throw Error(ErrorKind::kUsage, {.where = "--calib",
                                    .expected = "either self or files",
                                    .found = "both",
                                    .hint = "Leave one of them out."});
  }
  return {kSelf, runtime::SampleSequences(model, options.recipe.calibration_sequences, length,
                                          options.seed, progress)};
}

}  // namespace paroquant::pipeline
