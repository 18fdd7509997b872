#include "pipeline/memory_estimate.h"

#include <algorithm>
#include <span>

#include "eval/token_scores.h"
#include "pipeline/calibration_stream.h"
#include "pipeline/run_size.h"
#include "pipeline/scale_folding.h"

namespace paroquant::pipeline {
namespace {

using model::LinearInput;

// Places matrices as a MatrixStore does.
class Store {
 public:
  explicit Store(uint64_t budget) : left_(budget) {}

  bool Make(uint64_t bytes) {
    const bool in_memory = bytes <= left_;
    if (in_memory) left_ -= bytes;
    uint64_t& place = in_memory ? memory_ : disk_;
    place += bytes;
    most_memory_ = std::max(most_memory_, memory_);
    most_disk_ = std::max(most_disk_, disk_);
    return in_memory;
  }
  void Free(uint64_t bytes, bool in_memory) {
    if (in_memory) left_ += bytes;
    (in_memory ? memory_ : disk_) -= bytes;
  }

  uint64_t most_memory() const { return most_memory_; }
  uint64_t most_disk() const { return most_disk_; }

 private:
  uint64_t left_;
  uint64_t memory_ = 0, disk_ = 0;
  uint64_t most_memory_ = 0, most_disk_ = 0;
};

// The streams, the gradients at every block, and in the first block, while nearly all of those are
// still there, what it needs beside: a copy for tuning, the attention's outputs and what the second
// linear of the MLP reads.
Store StoreActivations(const model::Architecture& model, const method::Recipe& recipe,
                       const RunSize& size, uint64_t budget) {
  const auto bytes = [](int64_t rows, int64_t width) {
    return static_cast<uint64_t>(rows * width) * sizeof(float);
  };
  Store store(budget);
  const uint64_t stream = bytes(size.all, model.hidden_size);
  store.Make(stream);
  store.Make(bytes(size.reference, model.hidden_size));
  if (size.gradients > 0) {
    const uint64_t gradient = bytes(size.gradients, model.hidden_size);
    // The first is the embedding's and goes once they are all there, the second is the first
    // block's.
    const bool first = store.Make(gradient);
    const bool second = store.Make(gradient);
    for (int64_t layer = 1; layer < model.layers; ++layer) store.Make(gradient);
    store.Free(gradient, first);
    store.Free(gradient, second);
  }
  if (recipe.tuning.Tunes()) store.Make(stream);
  if (KeepsAttention(size.length, model.hidden_size)) {
    const uint64_t attended = bytes(size.all, model.heads * model.head_dim);
    store.Free(attended, store.Make(attended));
  }
  if (KeepsMlpHidden(model, 0)) {
    store.Make(bytes(size.all, DescribeLinears(model, 0).back().in_features));
  }
  return store;
}

// Bytes of a block's second moments, targets and, where they are tuned, its weights.
double BlockBytes(std::span<const LayerPlan> plans, const QuantizeOptions& options, double hidden) {
  const method::Recipe& recipe = options.recipe;
  double solving = 0;  // of the linear that takes most, with what waits for those behind it
  double outputs = 0;  // second moments of gradients, each until its linear is done
  double held_out = 0;
  double weights = 0;
  for (auto entry = plans.rbegin(); entry != plans.rend(); ++entry) {  // from the last one on
    const LayerPlan& plan = *entry;
    const auto rows = static_cast<double>(plan.info.out_features);
    const auto channels = static_cast<double>(plan.info.in_features);
    const LinearInput input = InputOf(plan.info.role);
    const bool adds = input == LinearInput::kAttended || input == LinearInput::kMlpHidden;
    const double square = channels * channels;
    // Two halves or their sum, the held-out tokens, a factor and a copy on the way.
    double stage = 5 * square + rows * channels;
    if (recipe.layer.UsesRepairs()) {
      stage += 2 * channels * (adds ? hidden : channels);
    }
    if (recipe.layer.UsesRowFeedback() && plan.info.expert < 0) {
      outputs += sizeof(double) * rows * rows;
    }
    solving = std::max(solving, sizeof(double) * stage + outputs);
    weights += sizeof(float) * rows * channels;
  }
  for (const std::span<const LayerPlan> stage : ByStage(plans)) {
    const auto channels = static_cast<double>(stage.front().info.in_features);
    held_out += sizeof(double) * channels * channels;
  }
  // Of each weight its target, what it was held as, and four of the optimiser's.
  const double tuning = recipe.tuning.Tunes() ? held_out + 6 * weights : 0;
  // Layers that wait for those that they take channel scales up from, with their codes.
  const double waiting = FoldsScales(options) ? held_out + 1.5 * weights : 0;
  return std::max(solving + waiting, tuning);
}

}  // namespace

MemoryEstimate EstimateMemory(const model::Architecture& architecture,
                              const std::vector<LayerPlan>& plans, const QuantizeOptions& options) {
  const method::Recipe& recipe = options.recipe;
  const RunSize size = MeasureRun(architecture, recipe);
  const Store store = StoreActivations(architecture, recipe, size, options.memory_budget);
  const auto hidden = static_cast<double>(architecture.hidden_size);
  const auto vocab = static_cast<double>(architecture.vocab_size);
  const auto length = static_cast<double>(size.length);
  const std::span<const LayerPlan> layers = plans;
  double most = 0;
  for (const std::span<const LayerPlan> block : ByBlock(layers)) {
    most = std::max(most, BlockBytes(block, options, hidden));
  }
  // A chunk's activations side by side, and the head with its logits before or after all blocks.
  const double tokens = std::max(length, static_cast<double>(kTokensPerChunk));
  const double chunk = sizeof(float) * tokens *
                       (6 * hidden + 3 * static_cast<double>(architecture.intermediate_size));
  const double tokens_per_head = std::min(length, static_cast<double>(eval::kTokensPerHead));
  const double head =
      sizeof(float) * vocab * std::max(size.gradients > 0 ? hidden : 0.0, 2 * tokens_per_head);
  return {.stored = static_cast<int64_t>(store.most_memory()),
          .spilled = static_cast<int64_t>(store.most_disk()),
          .working = static_cast<int64_t>(std::max(most + chunk, head))};
}

}  // namespace paroquant::pipeline
