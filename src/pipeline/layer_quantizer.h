// Quantizes the linears of a stage and writes them out.
#ifndef PAROQUANT_PIPELINE_LAYER_QUANTIZER_H_
#define PAROQUANT_PIPELINE_LAYER_QUANTIZER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "paroquant/base/progress.h"
#include "paroquant/method/linear_problem.h"
#include "paroquant/method/stage_moments.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/quant/packed_view.h"
#include "pipeline/checkpoint_output.h"

namespace paroquant::pipeline {

class LayerQuantizer {
 public:
  // All must outlive this.
  LayerQuantizer(const model::Checkpoint& source, const QuantizeOptions& options,
                 CheckpointOutput& output, Progress& progress)
      : source_(source), options_(options), output_(output), progress_(progress) {}

  // For recipes without calibration.
  void Quantize(const LayerPlan& plan);
  // Linears that read the same input, given its moments. Returns what the runtime multiplies with
  // from here on, in the order of the plans.
  std::vector<quant::PackedView> Quantize(std::span<const LayerPlan* const> plans,
                                          method::StageMoments moments);

  // The quantized layers' reports, in the order in which they were quantized.
  std::vector<LayerReport> TakeReports() { return std::move(reports_); }
  double BitsPerWeight() const;

 private:
  quant::QuantizedLinear Solve(const method::LinearProblem& problem, const LayerPlan& plan) const;
  quant::PackedLinear Finish(LayerReport report, const Matrix& weight,
                             const quant::QuantizedLinear& linear);

  const model::Checkpoint& source_;
  const QuantizeOptions& options_;
  CheckpointOutput& output_;
  Progress& progress_;
  std::vector<LayerReport> reports_;
  int64_t stored_bits_ = 0;
  int64_t weights_ = 0;
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_LAYER_QUANTIZER_H_
