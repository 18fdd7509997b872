// Quantizes the linears of a stage and writes them out.
#ifndef PAROQUANT_PIPELINE_LAYER_QUANTIZER_H_
#define PAROQUANT_PIPELINE_LAYER_QUANTIZER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "paroquant/method/linear_problem.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/method/stage_moments.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/nn/held_linear.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/quant/quantized_linear.h"
#include "pipeline/checkpoint_output.h"
#include "pipeline/run_progress.h"
#include "pipeline/run_state.h"
#include "pipeline/scale_folding.h"

namespace paroquant::pipeline {

// A quantized layer on its way to the checkpoint.
struct SolvedLayer {
  LayerReport report;
  Matrix target;                                            // the weight that it imitates, [N, K]
  std::shared_ptr<const method::InputStatistics> held_out;  // of its inputs
  double output_energy = 0.0;                               // of the target on them
  quant::QuantizedLinear linear;

  // How much of the output on the held-out tokens is lost with `quantized`.
  double RelativeError(const quant::QuantizedLinear& quantized) const;
};

class LayerQuantizer {
 public:
  // All must outlive this.
  LayerQuantizer(const model::Checkpoint& source, const QuantizeOptions& options,
                 CheckpointOutput& output, RunState& state, RunProgress& progress)
      : source_(source), options_(options), output_(output), state_(state), progress_(progress) {}

  // Chooses the channel scales and the rotation of layers that share them, of one basis_group, by a
  // sample of their rows and, unless it is null, of what they all read.
  void ShareBasis(std::span<const LayerPlan* const> plans, method::StageMoments* moments);

  // Quantizes a layer and finishes it. For recipes without calibration.
  void Quantize(const LayerPlan& plan);
  // Linears that read the same input, given its moments and, where the recipe has feedback between
  // rows, those of the gradients at their outputs.
  std::vector<SolvedLayer> Solve(std::span<const LayerPlan* const> plans,
                                 method::StageMoments moments,
                                 const nn::PerLinear<MatrixD>& output_moments);
  // Must a block's layers be finished together, as they take up each other's channel scales?
  bool FoldsScales() const { return pipeline::FoldsScales(options_); }
  // Reports on layers of a block, writes them out and adds them to the run's state.
  void Finish(std::vector<SolvedLayer> layers);
  // Takes the layers of a block over that an earlier run has finished.
  void TakeOver(std::vector<FinishedLayer> layers);

  // The quantized layers' reports, in the order in which they were quantized.
  std::vector<LayerReport> TakeReports() { return std::move(reports_); }
  double BitsPerWeight() const;

 private:
  quant::QuantizedLinear SolveLinear(const method::LinearProblem& problem,
                                     const LayerPlan& plan) const;
  void ShareBasis(std::span<const LayerPlan* const> plans,
                  const method::InputStatistics* statistics,
                  const method::InputStatistics* held_out);
  method::LayerFormat Format(const LayerPlan& plan) const;
  // Null for a layer that shares none.
  const quant::QuantizedLinear* SharedBasis(const LayerPlan& plan) const;
  quant::QuantizedLinear RoundToNearest(const SolvedLayer& layer) const;
  // Compares the layer with rounding to nearest on the held-out inputs, and puts that in its place
  // if it is better: for recipes that choose by held-out tokens anyway, others are done to the
  // letter.
  void Judge(SolvedLayer& layer) const;
  std::vector<format::PackedTensor> Encode(const LayerPlan& plan,
                                           const quant::QuantizedLinear& linear) const;
  // Writes a layer out and counts it.
  void Write(std::vector<format::PackedTensor> tensors, LayerReport report);
  void WriteFolded(std::vector<format::PackedTensor> tensors);

  const model::Checkpoint& source_;
  const QuantizeOptions& options_;
  CheckpointOutput& output_;
  RunState& state_;
  RunProgress& progress_;
  std::map<int, quant::QuantizedLinear> shared_bases_;  // of the block at work, by basis_group
  std::vector<LayerReport> reports_;
  std::unordered_set<std::string> counted_;  // tensors
  int64_t stored_bits_ = 0;
  int64_t weights_ = 0;
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_LAYER_QUANTIZER_H_
