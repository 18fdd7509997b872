#include "paroquant/pipeline/quantize.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/format/paroquant_format.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/runtime/language_model.h"
#include "paroquant/runtime/rotated_linear.h"
#include "pipeline/calibration_stream.h"
#include "pipeline/calibration_text.h"
#include "pipeline/checkpoint_output.h"
#include "pipeline/layer_quantizer.h"

namespace paroquant::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t PeakRssBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;  // Linux counts in KiB
}

// Quantizes a block's linears stage by stage and puts the results in their place.
class BlockVisitor : public StageVisitor {
 public:
  BlockVisitor(std::span<const LayerPlan> plans, nn::Block& block, const model::Checkpoint& source,
               LayerQuantizer& quantizer)
      : plans_(plans), block_(block), source_(source), quantizer_(quantizer) {}

  bool Wants(std::span<const model::LinearRole> roles) const override {
    return std::any_of(roles.begin(), roles.end(),
                       [&](model::LinearRole role) { return Plan(role).quantized; });
  }

  void Visit(std::span<const model::LinearRole> roles, method::StageMoments moments) override {
    std::vector<const LayerPlan*> plans;
    for (const model::LinearRole role : roles) {
      if (Plan(role).quantized) plans.push_back(&Plan(role));
    }
    std::vector<quant::PackedView> views = quantizer_.Quantize(plans, std::move(moments));
    for (size_t i = 0; i < plans.size(); ++i) {
      block_.ReplaceLinear(plans[i]->role,
                           std::make_unique<runtime::RotatedLinear>(
                               std::move(views[i]), nn::ReadBias(source_, plans[i]->info)));
    }
  }

 private:
  const LayerPlan& Plan(model::LinearRole role) const { return plans_[static_cast<size_t>(role)]; }

  std::span<const LayerPlan> plans_;  // in the order of kLinearRoles
  nn::Block& block_;
  const model::Checkpoint& source_;
  LayerQuantizer& quantizer_;
};

void QuantizeCalibrated(const runtime::LanguageModel& model, const CalibrationText& calibration,
                        std::span<const LayerPlan> plans, LayerQuantizer& quantizer,
                        QuantizeSummary& summary) {
  const bool repairs = summary.options.recipe.layer.target != method::TargetChoice::kWeight;
  CalibrationStream stream(model, calibration, repairs);
  const size_t per_block = model::kLinearRoles.size();
  for (size_t first = 0; first < plans.size(); first += per_block) {
    const std::span<const LayerPlan> block_plans = plans.subspan(first, per_block);
    const int64_t layer = block_plans.front().layer;
    nn::Block block = model.MakeBlock(layer);
    BlockVisitor visitor(block_plans, block, model.checkpoint(), quantizer);
    stream.RunBlock(layer, block, fmt::format("block {}", layer), visitor);
    summary.held_out_losses.push_back(stream.HeldOutLoss());
  }
  const HeldOutDivergence divergence = stream.Divergence();
  summary.expected_kl = divergence.mean;
  summary.expected_kl_stderr = divergence.standard_error;
}

// Reports of quantized layers (in order) and of kept ones, in the order of the plans.
std::vector<LayerReport> CompleteReports(const std::vector<LayerPlan>& plans,
                                         std::vector<LayerReport> quantized) {
  std::vector<LayerReport> reports;
  auto next = quantized.begin();
  for (const LayerPlan& plan : plans) {
    reports.push_back(plan.quantized ? std::move(*next++) : LayerReport{.plan = plan});
  }
  return reports;
}

void RequireSixteenBit(const model::Checkpoint& source) {
  const std::string config = (source.folder() / "config.json").string();
  if (!format::ParseQuantizationConfig(source.config(), config)) return;
  throw Error(ErrorKind::kInput, {.where = config,
                                  .expected = "a 16-bit model",
                                  .found = "a quantized one",
                                  .hint = "Quantize the model that it was made from."});
}

void RequireWork(const std::vector<LayerPlan>& plans) {
  if (std::any_of(plans.begin(), plans.end(), [](const LayerPlan& p) { return p.quantized; })) {
    return;
  }
  throw Error(ErrorKind::kUnsupported, {.where = plans.front().info.name + " and all others",
                                        .expected = "a layer that can be quantized",
                                        .found = plans.front().reason,
                                        .hint = "Try a smaller --group-size or fewer --skip."});
}

// What engines that load paroquant checkpoints take, where this one is something else.
std::vector<std::string> EngineNotes(const std::vector<LayerPlan>& plans) {
  const auto differs = [](const LayerPlan& plan) {
    return plan.quantized && (plan.bits != 4 || plan.group_size != 128);
  };
  const auto count = std::count_if(plans.begin(), plans.end(), differs);
  if (count == 0) return {};
  return {
      fmt::format("{} layers are not 4 bit in groups of 128: this program runs them, the "
                  "engines that load paroquant checkpoints do not",
                  count)};
}

}  // namespace

QuantizeSummary Quantize(const QuantizeOptions& options, Progress& progress) {
  const auto start = Clock::now();
  options.Validate();
  const auto model = runtime::LanguageModel::Load(options.model);
  const model::Checkpoint& source = model.checkpoint();
  RequireSixteenBit(source);
  const std::vector<LayerPlan> plans = PlanLayers(source.architecture(), options);
  RequireWork(plans);
  model::RequireFinite(source.tensors());

  QuantizeSummary summary{.options = options, .calibration_source = "none"};
  CheckpointOutput output(source, options, StoredRotations(options), plans);
  LayerQuantizer quantizer(source, options, output, progress);
  const auto layers = std::count_if(plans.begin(), plans.end(),
                                    [](const LayerPlan& plan) { return plan.quantized; });
  if (!options.recipe.NeedsCalibration()) {
    output.CopyUntouchedTensors(plans);
    progress.Start("quantizing", layers);
    for (const LayerPlan& plan : plans) {
      if (plan.quantized) quantizer.Quantize(plan);
    }
  } else {
    const CalibrationText calibration = LoadCalibrationText(options, model, progress);
    summary.calibration_source = calibration.source;
    summary.calibration_sequences = static_cast<int64_t>(calibration.sequences.size());
    summary.calibration_tokens =
        summary.calibration_sequences * static_cast<int64_t>(calibration.sequences.front().size());
    summary.held_out_sequences = static_cast<int64_t>(calibration.held_out.size());
    output.CopyUntouchedTensors(plans);  // gigabytes; what is wrong with the text shows before
    progress.Start("quantizing", layers);
    QuantizeCalibrated(model, calibration, plans, quantizer, summary);
  }
  progress.Finish();
  summary.layers = CompleteReports(plans, quantizer.TakeReports());
  summary.bits_per_weight = quantizer.BitsPerWeight();
  output.Commit(Provenance(summary));
  summary.notes = EngineNotes(plans);
  summary.notes.insert(summary.notes.end(), output.notes().begin(), output.notes().end());
  summary.seconds = SecondsSince(start);
  summary.peak_rss_bytes = PeakRssBytes();
  return summary;
}

}  // namespace paroquant::pipeline
