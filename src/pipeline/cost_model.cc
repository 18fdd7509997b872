#include "pipeline/cost_model.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>

#include "paroquant/method/repair_target.h"
#include "pipeline/calibration_stream.h"
#include "pipeline/run_size.h"

namespace paroquant::pipeline {
namespace {

using model::LinearInput;

// What a floating-point operation of these kinds takes, in units of one of a large float32 product,
// as measured on layers from 128 x 256 to 2048 x 5632.
constexpr double kDoubleCost = 2.5;      // factoring and solving in double precision
constexpr double kRoundingCost = 3.7;    // feedback inside small blocks, and the search of grids
constexpr double kDescentCost = 1.5;     // products with few rows
constexpr double kStreamCost = 1.1;      // packing and copying beside the products
constexpr double kGenerationCost = 3.0;  // a token each of some sequences

// What takes as long as that many of these operations.
constexpr double kWeightCost = 6000;    // reading, packing, judging and writing a weight
constexpr double kFeedbackCost = 8000;  // rounding a weight once with feedback
constexpr double kElementCost = 320;    // writing a value of a stream: norms, exponentials, memory

// The linears of a block that read the same input.
struct Stage {
  std::span<const LayerPlan> linears;
  LinearInput input = LinearInput::kAttentionInput;
  double share = 1;        // of the tokens, that reach it
  double channels = 0;     // K
  double rows = 0;         // N, of all
  double measured = 0;     // of those, rows that decide on factors
  double differences = 0;  // rows of the cross moment, for repairs
  bool quantized = false;  // any of them
};

double Cube(double side) { return side * side * side; }

// Counts operations, in units of those of a large float32 product.
class CostModel {
 public:
  CostModel(const model::Architecture& architecture, const method::Recipe& recipe)
      : model_(architecture),
        recipe_(recipe),
        size_(MeasureRun(architecture, recipe)),
        repairs_(recipe.layer.UsesRepairs()),
        all_(static_cast<double>(size_.all)),
        reference_(static_cast<double>(size_.reference)),
        held_out_(static_cast<double>(size_.held_out)),
        gradients_(static_cast<double>(size_.gradients)),
        hidden_(static_cast<double>(architecture.hidden_size)),
        attention_(2.0 * static_cast<double>(size_.length * model_.heads) *
                   (static_cast<double>(model_.head_dim) + kElementCost / 4)) {}

  RunCost Run(std::span<const LayerPlan> plans, bool samples) const {
    RunCost run;
    if (!recipe_.NeedsCalibration()) {
      for (const auto block : ByBlock(plans)) run.blocks.push_back(WithoutText(block));
      return run;
    }
    const double head = 2 * static_cast<double>(model_.vocab_size) * hidden_;
    double forward = 0;
    for (int64_t layer = 0; layer < model_.layers; ++layer) forward += Forward(layer);
    if (samples) run.sampling = kGenerationCost * all_ * (head + forward);
    // Forward, and with the forward pass again back.
    run.gradients = kStreamCost * gradients_ * (2 * head + 3 * forward);
    run.comparison = kStreamCost * 2 * head * held_out_;
    for (const auto block : ByBlock(plans)) run.blocks.push_back(Block(block));
    return run;
  }

 private:
  BlockCost Block(std::span<const LayerPlan> plans) const {
    const int64_t layer = plans.front().layer;
    const std::vector<Stage> stages = Stages(plans);
    BlockCost block{.gradients = kStreamCost * GradientMoments(layer),
                    .layers = std::vector<double>(plans.size()),
                    .epochs = {},
                    .end = 0,
                    .pass = kStreamCost * (all_ + reference_) * Forward(layer)};
    double before = 0;  // what has to be computed to get to the next layer that is quantized
    for (const Stage& stage : stages) {
      const auto alike = std::ranges::count(stages, stage.input, &Stage::input);
      before += kStreamCost * StreamBefore(layer, stage.input) / static_cast<double>(alike);
      if (stage.quantized) before += kStreamCost * Moments(stage) + Repair(stage);
      for (const LayerPlan& plan : stage.linears) {
        if (!plan.quantized) continue;
        block.layers[plan.index] = before + Solving(plan.info);
        before = 0;
      }
    }
    block.end = before + kStreamCost * StreamBehind(layer);
    if (recipe_.tuning.Tunes()) {
      block.end += kStreamCost * all_ * Forward(layer);  // with what tuning has made of it
      block.epochs.fill(kStreamCost * Forward(layer) * (3 * (all_ - held_out_) + held_out_));
    }
    return block;
  }

  // For recipes that look at no text.
  BlockCost WithoutText(std::span<const LayerPlan> plans) const {
    BlockCost block{.layers = std::vector<double>(plans.size())};
    for (const LayerPlan& plan : plans) {
      if (plan.quantized) block.layers[plan.index] = Solving(plan.info);
    }
    return block;
  }

  // Of all tokens those that a linear sees.
  double Share(int64_t expert) const {
    if (expert < 0) return 1;
    return static_cast<double>(model_.experts.per_token) /
           static_cast<double>(model_.experts.count);
  }

  // Operations of a token on linears that read this or, if nothing is said, all.
  double Linears(int64_t layer, std::optional<LinearInput> input = std::nullopt) const {
    double sum = 0;
    for (const model::LinearInfo& info : DescribeLinears(model_, layer)) {
      if (input && InputOf(info.role) != *input) continue;
      sum += Share(info.expert) * static_cast<double>(info.out_features) *
             (2 * static_cast<double>(info.in_features) + kElementCost);
    }
    return sum;
  }

  // Of a token through a block.
  double Forward(int64_t layer) const { return Linears(layer) + attention_; }

  double Attention(int64_t layer) const {
    return Linears(layer, LinearInput::kAttentionInput) + attention_;
  }

  // Between what the stage before reads and what this one does. What is not kept is computed twice
  // (see CalibrationStream::RunBlock).
  double StreamBefore(int64_t layer, LinearInput input) const {
    switch (input) {
      case LinearInput::kAttentionInput:
        return 0;
      case LinearInput::kAttended:
        return all_ * Attention(layer) +
               reference_ * (Attention(layer) + Linears(layer, LinearInput::kAttended));
      case LinearInput::kMlpInput: {
        const bool again = !KeepsAttention(size_.length, model_.hidden_size);
        return all_ * (Linears(layer, LinearInput::kAttended) + (again ? Attention(layer) : 0));
      }
      case LinearInput::kMlpHidden:
        return all_ * Linears(layer, LinearInput::kMlpInput) +
               reference_ * (Linears(layer, LinearInput::kMlpInput) +
                             Linears(layer, LinearInput::kMlpHidden));
    }
    return 0;
  }

  // From what the last stage reads to the next block.
  double StreamBehind(int64_t layer) const {
    const bool again = !KeepsMlpHidden(model_, layer);
    return all_ * (Linears(layer, LinearInput::kMlpHidden) +
                   (again ? Linears(layer, LinearInput::kMlpInput) : 0));
  }

  // Of what a stage reads.
  double Moments(const Stage& stage) const {
    double each = stage.share * all_ * stage.channels * stage.channels;
    if (repairs_) {
      each += 2 * stage.share * (all_ - held_out_) * stage.channels * stage.differences;
    }
    return each;
  }

  // Forward and back once more, for the gradients' moments at each linear, and one moment at the
  // block's output.
  double GradientMoments(int64_t layer) const {
    double each = 0;
    if (recipe_.layer.UsesRowFeedback()) {
      each += 2 * Forward(layer);
      for (const model::LinearInfo& info : DescribeLinears(model_, layer)) {
        const auto rows = static_cast<double>(info.out_features);
        if (info.expert < 0) each += rows * rows;
      }
    }
    if (recipe_.UsesCurvature()) each += hidden_ * hidden_;
    return gradients_ * each;
  }

  std::vector<Stage> Stages(std::span<const LayerPlan> plans) const {
    std::vector<Stage> stages;
    for (const std::span<const LayerPlan> linears : ByStage(plans)) {
      const model::LinearInfo& first = linears.front().info;
      Stage& stage = stages.emplace_back();
      stage.linears = linears;
      stage.input = InputOf(first.role);
      stage.share = Share(first.expert);
      stage.channels = static_cast<double>(first.in_features);
      const bool adds =
          stage.input == LinearInput::kAttended || stage.input == LinearInput::kMlpHidden;
      if (!adds) stage.differences = stage.channels;
      if (adds && first.expert < 0) stage.differences = hidden_;
      for (const LayerPlan& plan : linears) {
        const auto rows = static_cast<double>(plan.info.out_features);
        stage.rows += rows;
        if (recipe_.layer.target == method::TargetChoice::kStreamShrunk) {
          stage.measured +=
              2 * std::min(rows, static_cast<double>(method::kFactorRows));  // on either half
        }
        stage.quantized |= plan.quantized;
      }
    }
    return stages;
  }

  double Repair(const Stage& stage) const {
    if (!repairs_ || stage.differences == 0) return 0;
    const double square = stage.channels * stage.channels;
    return kDoubleCost * (Cube(stage.channels) + 2 * square * (stage.rows + stage.measured)) +
           2 * square * (stage.rows + 2 * stage.measured);
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
    const bool once_more = layer.UsesRowFeedback() || layer.UsesDescent();
    const int roundings = best ? 3 + (once_more ? 1 : 0) : 1;
    sum += roundings * (kRoundingCost * along + kFeedbackCost * rows * channels);
    sum += kDoubleCost * (roundings + (best ? 1 : 0)) * Cube(channels) / 3;
    const double coupled = layer.UsesRowFeedback() ? across : 0;
    if (layer.UsesRowFeedback()) sum += across + kDoubleCost * Cube(rows) / 3;
    return sum + kDescentCost * layer.descent_passes * 2 * (along + coupled);
  }

  const model::Architecture& model_;
  const method::Recipe& recipe_;
  const RunSize size_;
  const bool repairs_;
  // As in size_.
  const double all_;
  const double reference_;
  const double held_out_;
  const double gradients_;
  const double hidden_;
  const double attention_;  // operations of a token's scores and their use
};

}  // namespace

double RunCost::Sum(const method::BlockTuningOptions& tuning) const {
  double sum = sampling + gradients + comparison;
  for (const BlockCost& block : blocks) {
    sum += block.gradients + block.end;
    sum = std::accumulate(block.layers.begin(), block.layers.end(), sum);
    for (size_t stage = 0; stage < block.epochs.size(); ++stage) {
      sum += block.epochs[stage] * tuning.stages[stage].epochs;
    }
  }
  return sum;
}

RunCost CountOperations(const model::Architecture& architecture,
                        const std::vector<LayerPlan>& plans, const QuantizeOptions& options) {
  return CostModel(architecture, options.recipe).Run(plans, options.SamplesText());
}

}  // namespace paroquant::pipeline
