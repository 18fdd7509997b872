#include "pipeline/run_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace paroquant::pipeline {
namespace {

constexpr char kSampling[] = "sampling";
constexpr char kGradients[] = "gradients";
constexpr char kGradientMoments[] = "moments of gradients";
constexpr char kBlockEnd[] = "end of block";
constexpr char kPass[] = "pass";
constexpr char kComparison[] = "comparison";

// Linears of one name in each block are alike, and those of all experts.
std::string KindOf(const LayerPlan& plan) {
  return plan.info.name.substr(plan.info.name.rfind('.') + 1);
}

Work EpochWork(const BlockCost& cost, size_t stage) {
  return {fmt::format("epoch of stage {}", stage + 1), cost.epochs[stage]};
}

}  // namespace

RunProgress::RunProgress(RunCost cost, const std::vector<LayerPlan>& plans,
                         const method::BlockTuningOptions& tuning, Progress& progress)
    : cost_(std::move(cost)),
      plans_(plans),
      tuning_(tuning),
      progress_(progress),
      layers_(std::ranges::count_if(plans, &LayerPlan::quantized)) {}

void RunProgress::Start(bool has_text, const std::function<bool(int64_t)>& finished) {
  std::vector<Work> steps;
  const auto add = [&](const Work& work) {
    if (work.amount > 0) steps.push_back(work);
  };
  if (!has_text) add({kSampling, cost_.sampling});
  const std::span<const LayerPlan> layers = plans_;
  bool gradients = false;  // are they needed?
  for (const std::span<const LayerPlan> block : ByBlock(layers)) {
    const int64_t number = block.front().layer;
    const BlockCost& cost = Cost(number);
    if (finished(number)) {
      add({kPass, cost.pass});
      continue;
    }
    if (!std::exchange(gradients, true)) add({kGradients, cost_.gradients});
    add({kGradientMoments, cost.gradients});
    for (const LayerPlan& plan : block) add({KindOf(plan), cost.layers[plan.index]});
    for (size_t stage = 0; stage < tuning_.stages.size(); ++stage) {
      for (int i = 0; i < tuning_.stages[stage].epochs; ++i) add(EpochWork(cost, stage));
    }
    add({kBlockEnd, cost.end});
  }
  add({kComparison, cost_.comparison});
  progress_.Plan("quantizing", steps);
}

void RunProgress::Part::Advance(int64_t steps, const std::string& /*note*/) {
  const double part =
      static_cast<double>(steps) / static_cast<double>(std::max<int64_t>(1, total_));
  whole_.Complete({work_.kind, part * work_.amount}, note_);
}

RunProgress::Part RunProgress::Sampling() {
  return {progress_, {kSampling, cost_.sampling}, "sampling calibration text"};
}

RunProgress::Part RunProgress::Gradients() {
  return {progress_, {kGradients, cost_.gradients}, "gradients of the model's predictions"};
}

void RunProgress::GradientMoments(int64_t block) {
  progress_.Complete({kGradientMoments, Cost(block).gradients}, Where(block));
}

void RunProgress::Layer(const LayerPlan& plan) {
  ++done_;
  progress_.Complete({KindOf(plan), Cost(plan.layer).layers[plan.index]},
                     fmt::format("{}, {}", Where(plan.layer), plan.info.name));
}

void RunProgress::Epoch(int64_t block, const method::EpochReport& epoch) {
  progress_.Complete(
      EpochWork(Cost(block), static_cast<size_t>(epoch.stage)),
      fmt::format("{}, stage {}, epoch {}: loss {:.4g}, held out {:.4g}", Where(block),
                  epoch.stage + 1, epoch.epoch + 1, epoch.training_loss, epoch.held_out_loss));
}

void RunProgress::Block(int64_t block, std::optional<double> held_out_loss) {
  held_out_loss_ = held_out_loss;
  progress_.Complete({kBlockEnd, Cost(block).end}, "");
  progress_.Milestone(Where(block) + ", done");
}

void RunProgress::Comparison(double expected_kl) {
  progress_.Complete({kComparison, cost_.comparison},
                     fmt::format("{}, expected KL divergence {:.5f}",
                                 Where(std::ssize(cost_.blocks) - 1), expected_kl));
}

void RunProgress::TakeOver(int64_t block, bool passed, std::optional<double> held_out_loss) {
  held_out_loss_ = held_out_loss;
  done_ += std::ranges::count_if(
      plans_, [&](const LayerPlan& plan) { return plan.layer == block && plan.quantized; });
  const std::string note = Where(block) + ", finished before";
  if (passed) {
    progress_.Skip({kPass, Cost(block).pass});
    progress_.Advance(0, note);
  } else {
    progress_.Complete({kPass, Cost(block).pass}, note);
  }
}

std::string RunProgress::Where(int64_t block) const {
  std::string text =
      fmt::format("block {}/{}, layer {}/{}", block + 1, cost_.blocks.size(), done_, layers_);
  if (held_out_loss_) text += fmt::format(", held-out loss {:.4g}", *held_out_loss_);
  return text;
}

}  // namespace paroquant::pipeline
