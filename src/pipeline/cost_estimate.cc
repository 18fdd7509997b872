#include "paroquant/pipeline/cost_estimate.h"

#include <algorithm>
#include <optional>
#include <span>

#include "pipeline/calibration_stream.h"
#include "pipeline/checkpoint_output.h"
#include "pipeline/memory_estimate.h"
#include "pipeline/quantized_output.h"
#include "pipeline/run_size.h"

namespace paroquant::pipeline {
namespace {

using model::LinearInput;

// What a floating-point operation of these kinds takes, in units of one of a large float32 product,
// as measured on layers from 256 x 2048 to 2048 x 5632.
constexpr double kDoubleCost = 4.0;      // factoring and solving in double precision
constexpr double kRoundingCost = 3.7;    // feedback inside small blocks, and the search of grids
constexpr double kDescentCost = 1.5;     // products with few rows
constexpr double kStreamCost = 1.1;      // norms, softmax, packing and copying beside the products
constexpr double kGenerationCost = 3.0;  // a token each of some sequences
constexpr double kWeightCost = 6000;     // of a weight: reading, packing, judging, writing it

// About as many rows of a linear decide on the factor of its repair (see method/repair_target.h).
constexpr double kFactorRows = 512;

// The linears of a block that read the same input.
struct Stage {
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
        held_out_(static_cast<double>(size_.held_out)),
        gradients_(static_cast<double>(size_.gradients)),
        hidden_(static_cast<double>(architecture.hidden_size)),
        attention_(2.0 * static_cast<double>(size_.length * model_.heads * model_.head_dim)) {}

  // Beside the blocks: sampling, the head and its gradient, the comparison at the end.
  double Ends(bool samples) const {
    const double head = 2 * static_cast<double>(model_.vocab_size) * hidden_;
    double forward = head;
    for (int64_t layer = 0; layer < model_.layers; ++layer) forward += Forward(layer);
    return (samples ? kGenerationCost * all_ * forward : 0) +
           kStreamCost * head * 2 * (gradients_ + held_out_);
  }

  double Block(std::span<const LayerPlan> plans) const {
    const int64_t layer = plans.front().layer;
    double stream = Streams(layer) + Gradients(layer) + Tuning(layer);
    double solving = 0;
    for (const Stage& stage : Stages(plans)) {
      if (!stage.quantized) continue;
      stream += stage.share * all_ * stage.channels * stage.channels;
      if (repairs_) {
        stream += 2 * stage.share * (all_ - held_out_) * stage.channels * stage.differences;
      }
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

 private:
  // Of all tokens those that a linear sees.
  double Share(int64_t expert) const {
    if (expert < 0) return 1;
    return static_cast<double>(model_.experts.per_token) /
           static_cast<double>(model_.experts.count);
  }

  // Weights that a token meets in a block, of linears that read this or, if nothing is said, all.
  double Weights(int64_t layer, std::optional<LinearInput> input = std::nullopt) const {
    double sum = 0;
    for (const model::LinearInfo& info : DescribeLinears(model_, layer)) {
      if (input && InputOf(info.role) != *input) continue;
      sum += Share(info.expert) * static_cast<double>(info.out_features) *
             static_cast<double>(info.in_features);
    }
    return sum;
  }

  // Of a token through a block.
  double Forward(int64_t layer) const { return 2 * Weights(layer) + attention_; }

  // What is not kept is computed twice (see CalibrationStream::RunBlock).
  double Streams(int64_t layer) const {
    double quantized = Forward(layer);
    if (!KeepsMlpHidden(model_, layer)) quantized += 2 * Weights(layer, LinearInput::kMlpInput);
    if (!KeepsAttention(size_.length, model_.hidden_size)) {
      quantized += 2 * Weights(layer, LinearInput::kAttentionInput) + attention_;
    }
    return all_ * quantized + static_cast<double>(size_.reference) * Forward(layer);
  }

  // Forward, and with the forward pass again back, for the gradients themselves; forward and back
  // once more for their moments at each linear, and one moment at the block's output.
  double Gradients(int64_t layer) const {
    double each = size_.gradients > 0 ? 3 * Forward(layer) : 0;
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

  double Tuning(int64_t layer) const {
    if (!recipe_.tuning.Tunes()) return 0;
    const int epochs = recipe_.tuning.stages[0].epochs + recipe_.tuning.stages[1].epochs;
    const double epoch = 3 * (all_ - held_out_) + held_out_;
    return Forward(layer) * (all_ + epochs * epoch);
  }

  std::vector<Stage> Stages(std::span<const LayerPlan> plans) const {
    std::vector<Stage> stages;
    for (const std::span<const LayerPlan> linears : ByStage(plans)) {
      const model::LinearInfo& first = linears.front().info;
      const LinearInput input = InputOf(first.role);
      Stage& stage = stages.emplace_back();
      stage.share = Share(first.expert);
      stage.channels = static_cast<double>(first.in_features);
      const bool adds = input == LinearInput::kAttended || input == LinearInput::kMlpHidden;
      if (!adds) stage.differences = stage.channels;
      if (adds && first.expert < 0) stage.differences = hidden_;
      for (const LayerPlan& plan : linears) {
        const auto rows = static_cast<double>(plan.info.out_features);
        stage.rows += rows;
        if (recipe_.layer.target == method::TargetChoice::kStreamShrunk) {
          stage.measured += 2 * std::min(rows, kFactorRows);  // on either half
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
    sum += kRoundingCost * roundings * along;
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
  const double held_out_;
  const double gradients_;
  const double hidden_;
  const double attention_;  // operations of a token's scores and their use
};

// Bytes that one layer takes on its way: some matrices of its size.
int64_t LayerBytes(std::span<const LayerPlan> plans) {
  int64_t most = 0;
  for (const LayerPlan& plan : plans) {
    most = std::max(most, plan.info.out_features * plan.info.in_features);
  }
  return 16 * most;
}

int64_t OutputBytes(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                    const QuantizeOptions& options) {
  uint64_t bytes = 0;
  for (const io::TensorSpec& spec : OutputSpecs(source, OutputLayers(source, plans, options))) {
    bytes += io::ByteSize(spec);
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace

CostEstimate EstimateCost(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                          const QuantizeOptions& options, double product_rate) {
  const CostModel model(source.architecture(), options.recipe);
  const std::span<const LayerPlan> layers = plans;
  CostEstimate estimate{.output_bytes = OutputBytes(source, plans, options)};
  if (!options.recipe.NeedsCalibration()) {
    estimate.seconds = model.WithoutText(layers) / product_rate;
    estimate.memory_bytes = LayerBytes(layers);
    return estimate;
  }
  double operations = model.Ends(options.SamplesText());
  for (const std::span<const LayerPlan> block : ByBlock(layers)) operations += model.Block(block);
  const MemoryEstimate memory = EstimateMemory(source.architecture(), plans, options);
  estimate.seconds = operations / product_rate;
  estimate.memory_bytes = memory.stored + memory.working;
  estimate.spilled_bytes = memory.spilled;
  return estimate;
}

io::Json ToJson(const CostEstimate& estimate) {
  return {{"seconds", estimate.seconds},
          {"memory_bytes", estimate.memory_bytes},
          {"spilled_bytes", estimate.spilled_bytes},
          {"output_bytes", estimate.output_bytes}};
}

}  // namespace paroquant::pipeline
