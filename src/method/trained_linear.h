// One linear of a block that is tuned: its trained weight and what the optimiser knows of it.
#ifndef PAROQUANT_METHOD_TRAINED_LINEAR_H_
#define PAROQUANT_METHOD_TRAINED_LINEAR_H_

#include "method/trained_weight.h"
#include "paroquant/base/matrix.h"
#include "paroquant/method/block_tuning.h"
#include "paroquant/optim/adamw.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

class TrainedLinear {
 public:
  // `options` must outlive this.
  TrainedLinear(const quant::QuantizedLinear& start, const ConstMatrixRef& weight,
                const BlockTuningOptions& options);

  TrainedWeight& weight() { return weight_; }

  // Forgets the optimiser's state. Grids that this stage learns and the one before did not begin
  // at the range of the weights.
  void BeginStage(const TuningStage& stage);

  // Computes the effective weight [K, N]; returns the zeroed place for the gradient there.
  MatrixD& Forward(Matrix& effective);

  // The gradients of the parameters from that one; `effective` is Forward's.
  void Backward(const Matrix& effective);
  WeightParameters& gradients() { return gradients_; }
  // One step by those gradients, at rates `factor` times the stage's; forgets them.
  void Step(double factor);

  quant::QuantizedLinear Snap() const { return weight_.Snap(source_); }

 private:
  struct States {
    optim::AdamWState weight, column_factors, angles, grid_scales, grid_zeros;
  };

  void KeepInRange();

  const BlockTuningOptions& options_;
  TrainedWeight weight_;
  double scale_unit_;   // of the rate of grid scales
  double weight_unit_;  // of the rate of weights
  TuningStage stage_;
  GridSource source_;
  States states_;
  MatrixD gradient_;            // at the effective weight, [K, N]
  WeightParameters gradients_;  // between Backward and Step
};

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_TRAINED_LINEAR_H_
