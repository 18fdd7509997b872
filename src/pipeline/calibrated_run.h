// Quantizing the blocks of a model one after the other on calibration text.
#ifndef PAROQUANT_PIPELINE_CALIBRATED_RUN_H_
#define PAROQUANT_PIPELINE_CALIBRATED_RUN_H_

#include <cstdint>
#include <optional>
#include <span>

#include "paroquant/base/matrix_store.h"
#include "paroquant/base/stopwatch.h"
#include "paroquant/method/recipe.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/runtime/language_model.h"
#include "pipeline/calibration_stream.h"
#include "pipeline/calibration_text.h"
#include "pipeline/layer_quantizer.h"
#include "pipeline/output_moments.h"
#include "pipeline/run_progress.h"
#include "pipeline/run_state.h"

namespace paroquant::pipeline {

class CalibratedRun {
 public:
  // All must outlive this. The options are those of `summary`, which the results are added to.
  CalibratedRun(const runtime::LanguageModel& model, const CalibrationText& text,
                LayerQuantizer& quantizer, RunState& state, RunProgress& progress,
                QuantizeSummary& summary);

  // Quantizes all blocks but those that `state` has of an earlier run.
  void Run(std::span<const LayerPlan> plans);

 private:
  // On those sequences that come first in the stream behind the held-out ones.
  void TakeGradients();
  void RunBlock(std::span<const LayerPlan> plans);
  // Puts the streams where an earlier run has saved them, if all blocks before are finished.
  // Returns how many blocks they have passed.
  int64_t RestoreStreams(std::span<const std::span<const LayerPlan>> blocks);
  // Saves the streams, if that takes little beside the work that it may save.
  void SaveStreams(int64_t passed);
  // Takes over a block that an earlier run has finished; `passed` if the streams are behind it.
  void TakeOver(int64_t layer, FinishedBlock finished, bool passed);
  void AddToSummary(BlockFacts facts);

  const runtime::LanguageModel& model_;
  const CalibrationText& text_;
  const method::Recipe& recipe_;
  LayerQuantizer& quantizer_;
  RunState& state_;
  RunProgress& progress_;
  QuantizeSummary& summary_;
  MatrixStore store_;
  CalibrationStream stream_;
  Stopwatch since_saving_;  // or since the beginning
  double saving_seconds_;   // that saving the streams takes, by what it took before
  std::optional<OutputMoments> output_moments_;  // from the first block on that is not passed
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CALIBRATED_RUN_H_
