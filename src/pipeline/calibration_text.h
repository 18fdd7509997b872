// The token sequences that a model is calibrated on.
#ifndef PAROQUANT_PIPELINE_CALIBRATION_TEXT_H_
#define PAROQUANT_PIPELINE_CALIBRATION_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "paroquant/base/progress.h"
#include "paroquant/pipeline/quantize_options.h"
#include "paroquant/runtime/language_model.h"

namespace paroquant::pipeline {

struct CalibrationText {
  std::string source;                           // "self" or the names of the files
  std::vector<std::vector<int32_t>> sequences;  // to calibrate on; all of one length
  std::vector<std::vector<int32_t>> held_out;   // more of that length, at least one
};

// Reads the files that `options` names, or samples from the model itself. Sequences are cut to the
// model's positions. Throws kUsage for "self" among files, kInput for files that don't serve.
CalibrationText LoadCalibrationText(const QuantizeOptions& options,
                                    const runtime::LanguageModel& model, Progress& progress);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CALIBRATION_TEXT_H_
