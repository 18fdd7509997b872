// What will happen to each linear layer, decided before any work begins.
#ifndef PAROQUANT_PIPELINE_LAYER_PLAN_H_
#define PAROQUANT_PIPELINE_LAYER_PLAN_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/tensors.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

// What takes up a layer's channel scales where the layout has no place for them.
enum class ScaleHome {
  kLayer,    // the layer: the layout has a place, or there are none
  kNorm,     // the weight of the norm before it
  kRows,     // the last rows of the linear layer before it
  kNothing,  // nothing can, so there are none
};
struct ScalePlace {
  ScaleHome home = ScaleHome::kLayer;
  std::string into = "";    // the norm's tensor, or the linear's module
  std::string reason = "";  // why nothing can
};

struct LayerPlan {
  model::LinearInfo info;
  int64_t layer = 0;
  size_t index = 0;   // in the block, see model::DescribeLinears
  size_t number = 0;  // in the model
  bool quantized = false;
  std::string reason;  // why it is kept in 16 bits, or why its group size differs; else empty
  int bits = 4;
  int group_size = 128;
  // Quantized layers of a block with the same number >= 0 share channel scales and rotation.
  int basis_group = -1;
  ScalePlace scales = {};
};

// A plan for every linear of every block, in the order of a forward pass. A layer whose K divides
// by no group size (of those that options.target takes, if it is given), whose N fills no whole
// words, or that --skip names is kept. Throws kUsage for a pattern that is no regular expression or
// that matches nothing, for overrides that give a layer several values of a setting, and for those
// that give experts that share a rotation several group sizes.
std::vector<LayerPlan> PlanLayers(const model::Architecture& architecture,
                                  const QuantizeOptions& options);

// The same plans, block by block.
std::vector<std::span<const LayerPlan>> ByBlock(std::span<const LayerPlan> plans);
// Those of a block, stage by stage (see model::LinearStages).
std::vector<std::span<const LayerPlan>> ByStage(std::span<const LayerPlan> block);

// The keys of a layer in reports that are known before it is quantized.
io::Json ToJson(const LayerPlan& plan);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_LAYER_PLAN_H_
