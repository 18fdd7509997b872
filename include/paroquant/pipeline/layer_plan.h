// What will happen to each linear layer, decided before any work begins.
#ifndef PAROQUANT_PIPELINE_LAYER_PLAN_H_
#define PAROQUANT_PIPELINE_LAYER_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/architecture.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

struct LayerPlan {
  model::LinearInfo info;
  int64_t layer = 0;
  model::LinearRole role = model::LinearRole::kQuery;
  bool quantized = false;
  std::string reason;  // why it is kept in 16 bits, or why its group size differs; else empty
  int bits = 4;
  int group_size = 128;
};

// A plan for every linear of every block, in the order of a forward pass. A layer whose K divides
// by no group size, whose N fills no whole words, or that --skip names is kept. Throws kUsage for a
// pattern that is no regular expression or that matches nothing.
std::vector<LayerPlan> PlanLayers(const model::Architecture& architecture,
                                  const QuantizeOptions& options);

// The keys of a layer in reports that are known before it is quantized.
io::Json ToJson(const LayerPlan& plan);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_LAYER_PLAN_H_
