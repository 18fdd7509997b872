// How long a run of Quantize will take and what it needs, before any of it.
#ifndef PAROQUANT_PIPELINE_COST_ESTIMATE_H_
#define PAROQUANT_PIPELINE_COST_ESTIMATE_H_

#include <cstdint>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

struct CostEstimate {
  double seconds = 0.0;
  int64_t memory_bytes = 0;   // at the peak, beside the source's weights, which are mapped
  int64_t spilled_bytes = 0;  // of activations beyond the memory budget, in unnamed files in OUT
  int64_t output_bytes = 0;
  int64_t record_bytes = 0;  // at most, of what a resumed run goes on from; in OUT until the end
};

// Counts the products of the run, and takes everything else by what it was measured to cost beside
// them (docs/performance.md says how near that comes). `product_rate` is that of
// linalg::MeasureProductRate.
CostEstimate EstimateCost(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                          const QuantizeOptions& options, double product_rate);

// {"seconds", "memory_bytes", "spilled_bytes", "output_bytes", "record_bytes"}.
io::Json ToJson(const CostEstimate& estimate);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_COST_ESTIMATE_H_
