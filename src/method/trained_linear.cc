#include "method/trained_linear.h"

#include <span>
#include <utility>

#include "paroquant/quant/affine.h"

namespace paroquant::method {
namespace {

// Column scales may move this far from the start's. Far beyond what tuning wants: a guard of what
// is divided by.
constexpr float kMaxFactor = 64.0F;

template <typename Values>
std::span<float> AsSpan(Values& values) {
  return {values.data(), static_cast<size_t>(values.size())};
}
template <typename Values>
std::span<const float> AsConstSpan(const Values& values) {
  return {values.data(), static_cast<size_t>(values.size())};
}

GridSource SourceOf(const BlockTuningOptions& options, const TuningStage& stage) {
  return options.keep_codes || stage.learned_grids ? GridSource::kLearned : GridSource::kMinMax;
}

double MeanScale(const WeightParameters& parameters) {
  return parameters.grids.scales.cast<double>().mean();
}

}  // namespace

TrainedLinear::TrainedLinear(const quant::QuantizedLinear& start, const ConstMatrixRef& weight,
                             const BlockTuningOptions& options)
    : options_(options),
      weight_(start, weight, options.keep_codes ? TrainedBasis::kSteps : TrainedBasis::kOriginal,
              static_cast<float>(options.margin)),
      scale_unit_(options.relative_rates ? MeanScale(weight_.parameters()) : 1.0),
      weight_unit_(options.keep_codes ? 1.0 : scale_unit_),
      source_(options.keep_codes ? GridSource::kLearned : GridSource::kMinMax),
      gradient_(start.in_features, start.out_features) {}

void TrainedLinear::BeginStage(const TuningStage& stage) {
  stage_ = stage;
  const GridSource source = SourceOf(options_, stage);
  if (source == GridSource::kLearned && source_ == GridSource::kMinMax) weight_.FixGrids();
  source_ = source;
  states_ = {};
}

MatrixD& TrainedLinear::Forward(Matrix& effective) {
  weight_.Forward(source_, effective);
  gradient_.setZero();
  return gradient_;
}

void TrainedLinear::Backward(const Matrix& effective) {
  const ClampGradient clamp =
      options_.exact_clamp ? ClampGradient::kExact : ClampGradient::kStraightThrough;
  weight_.Backward(source_, clamp, effective, gradient_.cast<float>(), gradients_);
}

void TrainedLinear::Step(double factor) {
  const optim::AdamWOptions adamw{.beta1 = options_.beta1,
                                  .beta2 = options_.beta2,
                                  .epsilon = options_.epsilon,
                                  .weight_decay = options_.weight_decay};
  const auto step = [&](double rate, const auto& gradient, optim::AdamWState& state, auto& values) {
    if (rate == 0) return;
    optim::AdamWStep(adamw, factor * rate, AsConstSpan(gradient), state, AsSpan(values));
  };
  WeightParameters& parameters = weight_.parameters();
  step(stage_.weights * weight_unit_, gradients_.weight, states_.weight, parameters.weight);
  step(stage_.column_scales, gradients_.column_factors, states_.column_factors,
       parameters.column_factors);
  step(stage_.angles, gradients_.angles, states_.angles, parameters.angles);
  if (source_ == GridSource::kLearned) {
    step(stage_.grid_scales * scale_unit_, gradients_.grids.scales, states_.grid_scales,
         parameters.grids.scales);
    step(weight_.LearnsZeros() ? stage_.grid_zeros : 0, gradients_.grids.zeros, states_.grid_zeros,
         parameters.grids.zeros);
  }
  gradients_ = {};
  KeepInRange();
}

void TrainedLinear::KeepInRange() {
  WeightParameters& parameters = weight_.parameters();
  parameters.column_factors =
      parameters.column_factors.cwiseMax(1 / kMaxFactor).cwiseMin(kMaxFactor);
  parameters.grids.scales = parameters.grids.scales.cwiseMax(quant::kMinHalf);
}

}  // namespace paroquant::method
