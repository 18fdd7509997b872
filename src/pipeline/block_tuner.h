// Tuning the layers of a block together, once each of them is quantized.
#ifndef PAROQUANT_PIPELINE_BLOCK_TUNER_H_
#define PAROQUANT_PIPELINE_BLOCK_TUNER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "paroquant/method/block_tuning.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/runtime/language_model.h"
#include "pipeline/calibration_stream.h"
#include "pipeline/layer_quantizer.h"
#include "pipeline/run_progress.h"

namespace paroquant::pipeline {

// Replaces the linears in `layers`, those of block `layer` that are quantized, by tuned ones.
// `input` is the quantized stream before the block, `stream` stands behind it. Tells
// `progress` of each epoch.
TuningReport TuneLayers(const runtime::LanguageModel& model, int64_t layer,
                        const method::BlockTuningOptions& options, const method::BlockLoss& loss,
                        ConstMatrixRef input, const CalibrationStream& stream,
                        std::span<SolvedLayer> layers, RunProgress& progress);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_BLOCK_TUNER_H_
