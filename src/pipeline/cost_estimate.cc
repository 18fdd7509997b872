#include "paroquant/pipeline/cost_estimate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <vector>

#include "paroquant/linalg/product.h"
#include "pipeline/checkpoint_output.h"

namespace paroquant::pipeline {
namespace {

using model::LinearRole;

// What a floating-point operation of these kinds takes, in units of one of a large float32 product,
// as measured on layers from 256 x 2048 to 2048 x 5632.
constexpr double kDoubleCost = 4.0;      // factoring and solving in double precision
constexpr double kRoundingCost = 3.7;    // feedback inside small blocks, and the search of grids
constexpr double kDescentCost = 1.5;     // products with few rows
constexpr double kStreamCost = 1.1;      // norms, softmax, packing and copying beside the products
constexpr double kGenerationCost = 3.0;  // a token each of some sequences
constexpr double kWeightCost = 6000;     // of a weight: reading, packing, judging, writing it

// Rows of a linear that the factor of its repair is measured on (see method/repair_target.h).
constexpr double kFactorRows = 512;
// Tokens that stream through a block together.
constexpr double kChunkTokens = 2048;

// The linears of a block that read the same input.
struct Stage {
  double channels = 0;     // K
  double rows = 0;         // N, of all
  double differences = 0;  // rows of the cross moment, for repairs
  bool quantized = false;  // any of them
};

double Cube(double side) { return side * side * side; }

// Counts operations, in units of those of a large float32 product, and bytes.
class CostModel {
 public:
  CostModel(const model::Architecture& architecture, const QuantizeOptions& options)
      : model_(architecture), options_(options), recipe_(options.recipe) {
    const int64_t length = std::min(recipe_.sequence_length, model_.max_positions);
    const auto tokens = [&](int64_t sequences) { return static_cast<double>(sequences * length); };
    held_out_ = tokens(recipe_.held_out_sequences);
    all_ = tokens(recipe_.calibration_sequences) + held_out_;
    repairs_ = recipe_.layer.target != method::TargetChoice::kWeight;
    reference_ = repairs_ || recipe_.tuning.Tunes() || recipe_.UsesGradients() ? all_ : held_out_;
    if (recipe_.UsesGradients()) {
      gradients_ = tokens(
          std::min(recipe_.layer.row_feedback_sequences, (recipe_.calibration_sequences + 1) / 2));
    }
    length_ = static_cast<double>(length);
    hidden_ = static_cast<double>(model_.hidden_size);
    vocab_ = static_cast<double>(model_.vocab_size);
    attention_ = 2 * length_ * static_cast<double>(model_.heads * model_.head_dim);
  }

  // Operations beside the blocks: sampling, gradients at the head, the comparison at the end.
  double Ends(bool samples) const {
    const double head = 2 * vocab_ * hidden_;
    const double forward = Forward(0) * static_cast<double>(model_.layers) + head;
    return (samples ? kGenerationCost * all_ * forward : 0) +
           kStreamCost * head * (3 * gradients_ + 2 * held_out_);
  }

  double Block(std::span<const LayerPlan> plans) const {
    const int64_t layer = plans.front().layer;
    double stream = Streams(layer) + Gradients(layer) + Tuning(layer);
    double solving = 0;
    for (const Stage& stage : Stages(plans)) {
      if (!stage.quantized) continue;
      stream += all_ * stage.channels * stage.channels;
      if (repairs_) stream += 2 * all_ * stage.channels * stage.differences;
      solving += Repair(stage);
    }
    for (const LayerPlan& plan : plans) {
      if (plan.quantized) solving += Solving(plan.info);
    }
    return kStreamCost * stream + solving;
  }

  // For recipes that look at no text.
  double WithoutText(std::span<const LayerPlan> plans) const {
    double sum = 0;
    for (const LayerPlan& plan : plans) {
      if (plan.quantized) sum += Solving(plan.info);
    }
    return sum;
  }

  // Bytes that one layer takes on its way: some matrices of its size.
  static int64_t LayerBytes(std::span<const LayerPlan> plans) {
    int64_t most = 0;
    for (const LayerPlan& plan : plans) {
      most = std::max(most, plan.info.out_features * plan.info.in_features);
    }
    return 16 * most;
  }

  // Bytes that a MatrixStore holds: the streams, a copy for tuning, and the gradients.
  double StoredBytes() const {
    const double rows = all_ + reference_ + (recipe_.tuning.Tunes() ? all_ : 0) +
                        gradients_ * static_cast<double>(model_.layers + 1);
    return 4 * hidden_ * rows;
  }

  // Bytes at the peak beside those.
  double WorkingBytes(std::span<const LayerPlan> plans) const {
    double moments = 0;
    double widest = 0;
    double outputs = 0;
    for (const Stage& stage : Stages(plans)) {
      const double square = stage.channels * stage.channels;
      const double cross = repairs_ ? 2 * stage.channels * stage.differences : 0;
      moments = std::max(moments, 8 * (5 * square + cross + stage.channels * stage.rows));
      widest = std::max(widest, stage.channels);
    }
    for (const LayerPlan& plan : plans) {
      const auto rows = static_cast<double>(plan.info.out_features);
      if (recipe_.layer.UsesRowFeedback()) outputs += 8 * rows * rows;
    }
    const double chunk = 4 * std::max(length_, kChunkTokens) * (6 * hidden_ + 3 * widest);
    const double head = 4 * vocab_ * std::max(gradients_ > 0 ? hidden_ : 0, 2 * length_);
    return std::max(moments + outputs + chunk, head);
  }

 private:
  double Weights(int64_t layer, std::span<const LinearRole> roles) const {
    double sum = 0;
    for (const LinearRole role : roles) {
      const model::LinearInfo info = DescribeLinear(model_, layer, role);
      sum += static_cast<double>(info.out_features) * static_cast<double>(info.in_features);
    }
    return sum;
  }

  // Of a token through a block.
  double Forward(int64_t layer) const {
    return 2 * Weights(layer, model::kLinearRoles) + attention_;
  }

  // What is wider than it is cheap is computed twice (see CalibrationStream::RunBlock).
  double Streams(int64_t layer) const {
    constexpr std::array kTwice = {LinearRole::kGate, LinearRole::kUp};
    constexpr std::array kAttention = {LinearRole::kQuery, LinearRole::kKey, LinearRole::kValue};
    double quantized = Forward(layer) + 2 * Weights(layer, kTwice);
    if (length_ <= 2 * hidden_) quantized += 2 * Weights(layer, kAttention) + attention_;
    return all_ * quantized + reference_ * Forward(layer);
  }

  // Forward and back through the block once for the gradients themselves, and once more for their
  // moments at each linear.
  double Gradients(int64_t layer) const {
    if (gradients_ == 0) return 0;
    double moments = 0;
    for (const LinearRole role : model::kLinearRoles) {
      const auto rows = static_cast<double>(DescribeLinear(model_, layer, role).out_features);
      moments += rows * rows;
    }
    return gradients_ * (5 * Forward(layer) + moments);
  }

  double Tuning(int64_t layer) const {
    if (!recipe_.tuning.Tunes()) return 0;
    const int epochs = recipe_.tuning.stages[0].epochs + recipe_.tuning.stages[1].epochs;
    return Forward(layer) * (all_ + 3 * epochs * all_);
  }

  std::array<Stage, 4> Stages(std::span<const LayerPlan> plans) const {
    std::array<Stage, 4> stages;
    for (const LayerPlan& plan : plans) {
      const bool adds = plan.role == LinearRole::kAttentionOutput || plan.role == LinearRole::kDown;
      const bool mlp = plan.role >= LinearRole::kGate;
      Stage& stage = stages[(mlp ? 2U : 0U) + (adds ? 1U : 0U)];
      stage.channels = static_cast<double>(plan.info.in_features);
      stage.rows += static_cast<double>(plan.info.out_features);
      stage.differences = adds ? hidden_ : stage.channels;
      stage.quantized |= plan.quantized;
    }
    return stages;
  }

  double Repair(const Stage& stage) const {
    if (!repairs_) return 0;
    const double square = stage.channels * stage.channels;
    const double measured = 2 * std::min(stage.rows, kFactorRows);
    return kDoubleCost * (Cube(stage.channels) + 2 * square * (stage.rows + measured)) +
           2 * square * (stage.rows + 2 * measured);
  }

  double Solving(const model::LinearInfo& info) const {
    const auto rows = static_cast<double>(info.out_features);
    const auto channels = static_cast<double>(info.in_features);
    const double along = rows * channels * channels;
    const double across = rows * rows * channels;
    const method::LayerRecipe& layer = recipe_.layer;
    const bool best = layer.rotation == method::RotationChoice::kBest;
    double sum = kWeightCost * rows * channels;
    if (recipe_.NeedsCalibration()) sum += 3 * along;  // judged on held-out tokens
    if (best) sum += 3 * along;
    if (layer.channel_scales == method::ChannelScaleChoice::kActivationAware) sum += 21 * along;
    if (layer.rounding == method::RoundingChoice::kNearest) return sum;
    const bool once_more = layer.UsesRowFeedback() || layer.descent_passes > 0;
    const int roundings = best ? 3 + (once_more ? 1 : 0) : 1;
    sum += kRoundingCost * roundings * along;
    sum += kDoubleCost * (roundings + (best ? 1 : 0)) * Cube(channels) / 3;
    const double coupled = layer.UsesRowFeedback() ? across : 0;
    if (layer.UsesRowFeedback()) sum += across + kDoubleCost * Cube(rows) / 3;
    return sum + kDescentCost * layer.descent_passes * 2 * (along + coupled);
  }

  const model::Architecture& model_;
  const QuantizeOptions& options_;
  const method::Recipe& recipe_;
  bool repairs_ = false;
  double length_ = 0;
  double hidden_ = 0;
  double vocab_ = 0;
  double attention_ = 0;  // operations of a token's scores and their use
  // Tokens.
  double all_ = 0;  // held-out ones included
  double held_out_ = 0;
  double reference_ = 0;  // that run in 16 bits too
  double gradients_ = 0;
};

bool Samples(const QuantizeOptions& options) {
  return std::ranges::find(options.calibration, kSelfCalibration) != options.calibration.end();
}

int64_t OutputBytes(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                    const QuantizeOptions& options) {
  uint64_t bytes = 0;
  for (const io::TensorSpec& spec : OutputSpecs(source, StoredRotations(options), plans)) {
    bytes += io::ByteSize(spec);
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace

double MeasureProductRate() {
  constexpr int64_t kTokens = 2048;
  constexpr int64_t kSide = 1024;
  constexpr double kLeastSeconds = 0.5;
  using Clock = std::chrono::steady_clock;
  const Matrix input = Matrix::Random(kTokens, kSide);
  const Matrix weight = Matrix::Random(kSide, kSide);
  Matrix output(kTokens, kSide);
  linalg::MultiplyTransposed(input, weight, output);  // starts threads, brings in memory
  int64_t count = 0;
  double seconds = 0;
  for (const auto start = Clock::now(); seconds < kLeastSeconds; ++count) {
    linalg::MultiplyTransposed(input, weight, output);
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return 2.0 * static_cast<double>(kTokens * kSide * kSide * count) / seconds;
}

CostEstimate EstimateCost(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                          const QuantizeOptions& options, double product_rate) {
  const CostModel model(source.architecture(), options);
  const std::span<const LayerPlan> layers = plans;
  constexpr size_t kPerBlock = model::kLinearRoles.size();
  CostEstimate estimate{.output_bytes = OutputBytes(source, plans, options)};
  if (!options.recipe.NeedsCalibration()) {
    estimate.seconds = model.WithoutText(layers) / product_rate;
    estimate.memory_bytes = model.LayerBytes(layers);
    return estimate;
  }
  double operations = model.Ends(Samples(options));
  double working = 0;
  for (size_t first = 0; first < layers.size(); first += kPerBlock) {
    const auto block = layers.subspan(first, kPerBlock);
    operations += model.Block(block);
    working = std::max(working, model.WorkingBytes(block));
  }
  const double stored = model.StoredBytes();
  const double kept = std::min(stored, static_cast<double>(options.memory_budget));
  estimate.seconds = operations / product_rate;
  estimate.memory_bytes = static_cast<int64_t>(kept + working);
  estimate.spilled_bytes = static_cast<int64_t>(stored - kept);
  return estimate;
}

io::Json ToJson(const CostEstimate& estimate) {
  return {{"seconds", estimate.seconds},
          {"memory_bytes", estimate.memory_bytes},
          {"spilled_bytes", estimate.spilled_bytes},
          {"output_bytes", estimate.output_bytes}};
}

}  // namespace paroquant::pipeline
