// What a run of Quantize holds at its peak.
#ifndef PAROQUANT_PIPELINE_MEMORY_ESTIMATE_H_
#define PAROQUANT_PIPELINE_MEMORY_ESTIMATE_H_

#include <cstdint>
#include <vector>

#include "paroquant/model/architecture.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

struct MemoryEstimate {
  int64_t stored = 0;   // bytes of activations in memory
  int64_t spilled = 0;  // bytes of activations on disk
  int64_t working = 0;  // bytes of everything else but the source's weights
};

// The activations to the byte, as the MatrixStore of a run places them; the rest from the largest
// matrices alone.
MemoryEstimate EstimateMemory(const model::Architecture& architecture,
                              const std::vector<LayerPlan>& plans, const QuantizeOptions& options);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_MEMORY_ESTIMATE_H_
