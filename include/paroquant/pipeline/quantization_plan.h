// What quantizing will do and all that speaks against it, before any work and without a write.
#ifndef PAROQUANT_PIPELINE_QUANTIZATION_PLAN_H_
#define PAROQUANT_PIPELINE_QUANTIZATION_PLAN_H_

#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

struct QuantizationPlan {
  std::vector<LayerPlan> layers;
  std::vector<std::string> notes;  // what the user should know: engines' limits, odd tensors
};

// Throws kUsage for an OUT that is not empty (unless it may be overwritten), lies inside IN, or is
// no folder. Looks at no model.
void RequireUsableOut(const std::filesystem::path& in, const std::filesystem::path& out,
                      bool overwrite);
// The same for a run that may resume an earlier one: takes a folder with an unfinished or a
// complete run then, and says so where that is not asked for.
void RequireUsableOut(const QuantizeOptions& options);

// Throws kInput for a model that is quantized already or a calibration file that is not there,
// kUnsupported if no layer can be quantized or the output's layout cannot hold what the recipe
// makes, or options.target would not load it, and what PlanLayers throws.
QuantizationPlan PlanQuantization(const model::Checkpoint& source, const QuantizeOptions& options);

// {"model", "out", "notes", "layers"}, the layers as in the summary of a run.
io::Json ToJson(const QuantizationPlan& plan, const QuantizeOptions& options);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_QUANTIZATION_PLAN_H_
