#include "pipeline/output_moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "paroquant/method/input_statistics.h"
#include "paroquant/runtime/self_gradient.h"

namespace paroquant::pipeline {
namespace {

MatrixD UnitMoment(const method::InputStatistics& gradients, double damping) {
  MatrixD moment = gradients.DampedMoment(damping);
  moment /= moment.diagonal().mean() / (1 + damping);
  return moment;
}

// Adds up what it passes. Experts see too few of these tokens to have moments of their own.
class MomentCollector : public runtime::CheckpointBackward {
 public:
  MomentCollector(const model::Checkpoint& checkpoint, int64_t layer)
      : runtime::CheckpointBackward(checkpoint, layer) {
    for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), layer)) {
      auto& moment = moments_.emplace_back();
      if (info.expert < 0) moment.emplace(info.name + ": gradients", info.out_features);
    }
  }

  void Backward(size_t linear, ConstMatrixRef input, ConstMatrixRef output_gradient,
                Matrix* input_gradient) override {
    if (moments_[linear]) moments_[linear]->Add(output_gradient);
    CheckpointBackward::Backward(linear, input, output_gradient, input_gradient);
  }

  // What was added up is forgotten.
  nn::PerLinear<MatrixD> TakeUnitMoments(double damping) {
    nn::PerLinear<MatrixD> moments;
    for (auto& moment : moments_) {
      moments.push_back(moment ? UnitMoment(*moment, damping) : MatrixD());
      moment.reset();
    }
    return moments;
  }

 private:
  nn::PerLinear<std::optional<method::InputStatistics>> moments_;
};

}  // namespace

OutputMoments::OutputMoments(const runtime::LanguageModel& model,
                             std::span<const std::vector<int32_t>> sequences, uint64_t seed,
                             MatrixStore& store, Progress& progress)
    : model_(model),
      length_(std::ssize(sequences.front())),
      rows_(std::ssize(sequences) * length_),
      gradients_(runtime::SelfGradients(model, sequences, seed, store, progress)) {}

nn::PerLinear<MatrixD> OutputMoments::AtLinears(int64_t layer, ConstMatrixRef inputs,
                                                double damping) const {
  MomentCollector collector(model_.checkpoint(), layer);
  const nn::Block& block = model_.block(layer);
  const nn::RopeTables rope = model_.Rope(0, length_);
  const ConstMatrixMap gradients = gradients_[static_cast<size_t>(layer)].view();
  const int64_t per_pass =
      std::max<int64_t>(1, runtime::kTokensPerBackwardPass / length_) * length_;
  nn::BlockActivations kept;
  for (int64_t row = 0; row < rows_; row += per_pass) {
    const int64_t rows = std::min(per_pass, rows_ - row);
    const nn::SequenceBatch batch{.count = rows / length_, .length = length_};
    Matrix hidden = inputs.middleRows(row, rows);
    block.ForwardKeeping(batch, rope, hidden, kept);
    Matrix gradient = gradients.middleRows(row, rows);
    block.BackwardToLinears(batch, rope, kept, collector, gradient);
  }
  return collector.TakeUnitMoments(damping);
}

MatrixD OutputMoments::AtOutput(int64_t layer, double damping) const {
  const ConstMatrixMap gradients = gradients_[static_cast<size_t>(layer)].view();
  method::InputStatistics statistics(fmt::format("block {}: gradients", layer), gradients.cols());
  statistics.Add(gradients);
  return UnitMoment(statistics, damping);
}

}  // namespace paroquant::pipeline
