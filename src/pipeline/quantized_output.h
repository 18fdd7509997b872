// What a quantization run declares of its checkpoint before it begins.
#ifndef PAROQUANT_PIPELINE_QUANTIZED_OUTPUT_H_
#define PAROQUANT_PIPELINE_QUANTIZED_OUTPUT_H_

#include <map>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"
#include "pipeline/checkpoint_output.h"

namespace paroquant::pipeline {

// How the output has a quantized layer's tensors. Plain weights keep the source's type.
format::PackedStyle StyleOf(const model::Checkpoint& source, const LayerPlan& plan,
                            const QuantizeOptions& options);
std::vector<OutputLayer> OutputLayers(const model::Checkpoint& source,
                                      const std::vector<LayerPlan>& plans,
                                      const QuantizeOptions& options);
// What engines look for, the source's own notes, and how the weights were made.
std::map<std::string, std::string> OutputMetadata(const model::Checkpoint& source,
                                                  const QuantizeOptions& options);
io::Json OutputConfig(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                      const QuantizeOptions& options);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_QUANTIZED_OUTPUT_H_
