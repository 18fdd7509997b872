#include "paroquant/pipeline/cost_estimate.h"

#include <algorithm>
#include <span>

#include "pipeline/checkpoint_output.h"
#include "pipeline/cost_model.h"
#include "pipeline/memory_estimate.h"
#include "pipeline/quantized_output.h"
#include "pipeline/run_size.h"

namespace paroquant::pipeline {
namespace {

// Bytes that one layer takes on its way: some matrices of its size.
int64_t LayerBytes(std::span<const LayerPlan> plans) {
  int64_t most = 0;
  for (const LayerPlan& plan : plans) {
    most = std::max(most, plan.info.out_features * plan.info.in_features);
  }
  return 16 * most;
}

// Finished layers, always in the layout that holds all of them; the text; and the streams of
// activations, which take twice their size while new ones replace old ones (docs/reliability.md).
int64_t RecordBytes(const model::Architecture& architecture, const std::vector<LayerPlan>& plans,
                    const QuantizeOptions& options) {
  uint64_t bytes = 0;
  for (const LayerPlan& plan : plans) {
    if (!plan.quantized) continue;
    for (const io::TensorSpec& spec : format::PackedSpecs(format::FormatKind::kParoquant, plan.info,
                                                          {.bits = plan.bits,
                                                          .group_size = plan.group_size,
                                                          .rotations = StoredRotations(options),
                                                          .style = {}})) {
      bytes += io::ByteSize(spec);
    }
  }
  if (!options.recipe.NeedsCalibration()) return static_cast<int64_t>(bytes);
  const RunSize size = MeasureRun(architecture, options.recipe);
  const int64_t streams = (size.all + size.reference) * architecture.hidden_size;
  return static_cast<int64_t>(bytes + sizeof(int32_t) * static_cast<uint64_t>(size.all) +
                              2 * sizeof(float) * static_cast<uint64_t>(streams));
}

}  // namespace

CostEstimate EstimateCost(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                          const QuantizeOptions& options, double product_rate) {
  const RunCost operations = CountOperations(source.architecture(), plans, options);
  CostEstimate estimate{.seconds = operations.Sum(options.recipe.tuning) / product_rate,
                        .output_bytes = OutputBytes(source, OutputLayers(source, plans, options)),
                        .record_bytes = RecordBytes(source.architecture(), plans, options)};
  if (!options.recipe.NeedsCalibration()) {
    estimate.memory_bytes = LayerBytes(plans);
    return estimate;
  }
  const MemoryEstimate memory = EstimateMemory(source.architecture(), plans, options);
  estimate.memory_bytes = memory.stored + memory.working;
  estimate.spilled_bytes = memory.spilled;
  return estimate;
}

io::Json ToJson(const CostEstimate& estimate) {
  return {{"seconds", estimate.seconds},
          {"memory_bytes", estimate.memory_bytes},
          {"spilled_bytes", estimate.spilled_bytes},
          {"output_bytes", estimate.output_bytes},
          {"record_bytes", estimate.record_bytes}};
}

}  // namespace paroquant::pipeline
