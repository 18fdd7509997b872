// The operations of a run of Quantize, step by step: what a plan and a display of progress tell the
// time from.
#ifndef PAROQUANT_PIPELINE_COST_MODEL_H_
#define PAROQUANT_PIPELINE_COST_MODEL_H_

#include <array>
#include <vector>

#include "paroquant/model/architecture.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

// Each in operations that take as long as those of a large float32 product.
struct BlockCost {
  double gradients = 0.0;          // second moments of the gradients at the linears
  std::vector<double> layers;      // of each linear of the block; 0 for those that are kept
  std::array<double, 2> epochs{};  // one of each stage of tuning
  double end = 0.0;                // what is left to do behind the last layer
  double pass = 0.0;               // all that a block takes which an earlier run has finished
};

struct RunCost {
  double sampling = 0.0;   // of the calibration text, if it is sampled
  double gradients = 0.0;  // at all blocks, taken before the first
  std::vector<BlockCost> blocks;
  double comparison = 0.0;  // with the 16-bit model, at the end

  // Of a run that finds nothing finished.
  double Sum(const method::BlockTuningOptions& tuning) const;
};

RunCost CountOperations(const model::Architecture& architecture,
                        const std::vector<LayerPlan>& plans, const QuantizeOptions& options);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_COST_MODEL_H_
