#include "paroquant/pipeline/quantize.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "paroquant/base/stopwatch.h"
#include "paroquant/pipeline/quantization_plan.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/packing.h"
#include "paroquant/runtime/language_model.h"
#include "paroquant/runtime/rotated_linear.h"
#include "pipeline/block_tuner.h"
#include "pipeline/calibration_stream.h"
#include "pipeline/calibration_text.h"
#include "pipeline/checkpoint_output.h"
#include "pipeline/layer_quantizer.h"
#include "pipeline/output_moments.h"
#include "pipeline/quantized_output.h"

namespace paroquant::pipeline {
namespace {

int64_t PeakRssBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;  // Linux counts in KiB
}

// Quantizes a block's linears stage by stage and puts the results in their place.
class BlockVisitor : public StageVisitor {
 public:
  BlockVisitor(std::span<const LayerPlan> plans, nn::Block& block, const model::Checkpoint& source,
               LayerQuantizer& quantizer, nn::PerLinear<MatrixD>& output_moments, bool keeps)
      : plans_(plans),
        block_(block),
        source_(source),
        quantizer_(quantizer),
        output_moments_(output_moments),
        keeps_(keeps) {}

  bool Wants(const model::LinearStage& stage) const override {
    return std::ranges::any_of(plans_.subspan(stage.first, stage.count), &LayerPlan::quantized);
  }

  bool WantsPool(model::LinearInput input) const override { return !Sharing(input).empty(); }

  void VisitPool(model::LinearInput input, method::StageMoments moments) override {
    quantizer_.ShareBasis(Sharing(input), &moments);
  }

  void Visit(const model::LinearStage& stage, method::StageMoments moments) override {
    std::vector<const LayerPlan*> plans;
    for (const LayerPlan& plan : plans_.subspan(stage.first, stage.count)) {
      if (plan.quantized) plans.push_back(&plan);
    }
    for (SolvedLayer& layer : quantizer_.Solve(plans, std::move(moments), output_moments_)) {
      Place(layer);
      if (keeps_) {
        kept_.push_back(std::move(layer));
      } else {
        quantizer_.Finish(std::move(layer));
      }
    }
    for (size_t i = stage.first; i < stage.end(); ++i) output_moments_[i].resize(0, 0);
  }

  // What the runtime multiplies with from here on.
  void Place(const SolvedLayer& layer) {
    const LayerPlan& plan = layer.report.plan;
    block_.ReplaceLinear(plan.index, std::make_unique<runtime::RotatedLinear>(
                                         quant::MakeView(quant::Pack(layer.linear, plan.info.name)),
                                         nn::ReadBias(source_, plan.info)));
  }

  // The block's layers, if they are kept and not finished.
  std::vector<SolvedLayer>& kept() { return kept_; }

 private:
  // The layers with this input that share a basis.
  std::vector<const LayerPlan*> Sharing(model::LinearInput input) const {
    std::vector<const LayerPlan*> sharing;
    for (const LayerPlan& plan : plans_) {
      if (plan.basis_group >= 0 && InputOf(plan.info.role) == input) sharing.push_back(&plan);
    }
    return sharing;
  }

  std::span<const LayerPlan> plans_;  // of all the block's linears
  nn::Block& block_;
  const model::Checkpoint& source_;
  LayerQuantizer& quantizer_;
  nn::PerLinear<MatrixD>& output_moments_;  // of the linears that are still to come
  bool keeps_;
  std::vector<SolvedLayer> kept_;
};

// Quantizes all blocks in turn on calibration text.
class CalibratedRun {
 public:
  CalibratedRun(const runtime::LanguageModel& model, const CalibrationText& text,
                LayerQuantizer& quantizer, Progress& progress, QuantizeSummary& summary)
      : model_(model),
        recipe_(summary.options.recipe),
        quantizer_(quantizer),
        progress_(progress),
        summary_(summary),
        store_(summary.options.out, summary.options.memory_budget),
        stream_(model, text,
                {.repairs = recipe_.layer.UsesRepairs(),
                 .reference = recipe_.tuning.Tunes() || recipe_.UsesGradients()},
                store_) {
    if (recipe_.UsesGradients()) TakeGradients(text);
  }

  void Run(std::span<const LayerPlan> plans) {
    for (const std::span<const LayerPlan> block : ByBlock(plans)) RunBlock(block);
    const HeldOutDivergence divergence = stream_.Divergence();
    summary_.expected_kl = divergence.mean;
    summary_.expected_kl_stderr = divergence.standard_error;
    summary_.peak_spilled_bytes = static_cast<int64_t>(store_.peak_on_disk());
  }

 private:
  // On those sequences that come first in the stream behind the held-out ones.
  void TakeGradients(const CalibrationText& text) {
    std::vector<std::vector<int32_t>> sequences;
    const auto count = static_cast<size_t>(recipe_.layer.row_feedback_sequences);
    for (size_t i = 0; i < text.sequences.size() && sequences.size() < count; i += 2) {
      sequences.push_back(text.sequences[i]);
    }
    output_moments_.emplace(model_, sequences, summary_.options.seed, store_);
  }

  void RunBlock(std::span<const LayerPlan> plans) {
    const int64_t layer = plans.front().layer;
    const bool tunes = recipe_.tuning.Tunes();
    const double damping = recipe_.layer.row_feedback_damping;
    nn::PerLinear<MatrixD> moments(plans.size());
    if (recipe_.layer.UsesRowFeedback()) {
      moments = output_moments_->AtLinears(
          layer, stream_.reference().middleRows(stream_.held_out_rows(), output_moments_->rows()),
          damping);
    }
    method::BlockLoss loss;
    if (recipe_.UsesCurvature()) {
      loss = method::BlockLoss(output_moments_->AtOutput(layer, damping));
    }
    if (output_moments_) output_moments_->Drop(layer);
    StoredMatrix input;
    if (tunes) input = stream_.Copy();
    nn::Block block = model_.MakeBlock(layer);
    BlockVisitor visitor(plans, block, model_.checkpoint(), quantizer_, moments, tunes);
    stream_.RunBlock(layer, block, fmt::format("block {}", layer), visitor);
    if (tunes && !visitor.kept().empty()) {
      summary_.tuning.push_back(TuneLayers(model_, layer, recipe_.tuning, loss, input.view(),
                                           stream_, visitor.kept(), progress_));
      for (SolvedLayer& solved : visitor.kept()) {
        visitor.Place(solved);
        quantizer_.Finish(std::move(solved));
      }
      stream_.RunAgain(block, std::move(input));
    }
    summary_.held_out_losses.push_back(stream_.HeldOutLoss());
  }

  const runtime::LanguageModel& model_;
  const method::Recipe& recipe_;
  LayerQuantizer& quantizer_;
  Progress& progress_;
  QuantizeSummary& summary_;
  MatrixStore store_;
  CalibrationStream stream_;
  std::optional<OutputMoments> output_moments_;
};

void QuantizeWithoutText(std::span<const LayerPlan> block, LayerQuantizer& quantizer) {
  std::map<int, std::vector<const LayerPlan*>> sharing;
  for (const LayerPlan& plan : block) {
    if (plan.basis_group >= 0) sharing[plan.basis_group].push_back(&plan);
  }
  for (const auto& [group, plans] : sharing) quantizer.ShareBasis(plans, nullptr);
  for (const LayerPlan& plan : block) {
    if (plan.quantized) quantizer.Quantize(plan);
  }
}

// Steps of progress: a layer, or an epoch of tuning a block.
int64_t Steps(const std::vector<LayerPlan>& plans, const method::BlockTuningOptions& tuning) {
  const auto layers =
      std::count_if(plans.begin(), plans.end(), [](const LayerPlan& p) { return p.quantized; });
  return layers + std::ssize(ByBlock(plans)) * (tuning.stages[0].epochs + tuning.stages[1].epochs);
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

// What is unusual about layers, by layer.
void AppendLayerNotes(const std::vector<LayerReport>& layers, std::vector<std::string>& notes) {
  for (const LayerReport& layer : layers) {
    const std::string& name = layer.plan.info.name;
    for (const std::string& note : layer.notes) notes.push_back(name + ": " + note);
    if (!layer.accepted) notes.push_back(name + ": rounded to nearest, the recipe did no better");
  }
}

}  // namespace

QuantizeSummary Quantize(const QuantizeOptions& options, Progress& progress) {
  const Stopwatch watch;
  options.Validate();
  RequireUsableOut(options.model, options.out, options.overwrite);
  const auto model = runtime::LanguageModel::Load(options.model);
  const model::Checkpoint& source = model.checkpoint();
  const QuantizationPlan plan = PlanQuantization(source, options);
  const std::vector<LayerPlan>& plans = plan.layers;
  model::RequireFinite(source.tensors());

  QuantizeSummary summary{.options = options, .calibration_source = "none"};
  CheckpointOutput output(
      source,
      {.folder = options.out, .overwrite = options.overwrite, .shard_size = options.shard_size},
      OutputLayers(source, plans, options), OutputMetadata(source, options));
  LayerQuantizer quantizer(source, options, output, progress);
  const int64_t steps = Steps(plans, options.recipe.tuning);
  if (!options.recipe.NeedsCalibration()) {
    output.CopyUntouchedTensors();
    progress.Start("quantizing", steps);
    for (const std::span<const LayerPlan> block : ByBlock(plans)) {
      QuantizeWithoutText(block, quantizer);
    }
  } else {
    const CalibrationText calibration = LoadCalibrationText(options, model, progress);
    summary.calibration_source = calibration.source;
    summary.calibration_sequences = static_cast<int64_t>(calibration.sequences.size());
    summary.calibration_tokens =
        summary.calibration_sequences * static_cast<int64_t>(calibration.sequences.front().size());
    summary.held_out_sequences = static_cast<int64_t>(calibration.held_out.size());
    output.CopyUntouchedTensors();  // gigabytes; what is wrong with the text shows before
    progress.Start("quantizing", steps);
    CalibratedRun(model, calibration, quantizer, progress, summary).Run(plans);
  }
  progress.Finish();
  summary.layers = CompleteReports(plans, quantizer.TakeReports());
  summary.bits_per_weight = quantizer.BitsPerWeight();
  output.Commit(OutputConfig(source, plans, options), Provenance(summary));
  summary.notes = plan.notes;
  AppendLayerNotes(summary.layers, summary.notes);
  summary.notes.insert(summary.notes.end(), output.notes().begin(), output.notes().end());
  summary.seconds = watch.Seconds();
  summary.peak_rss_bytes = PeakRssBytes();
  return summary;
}

}  // namespace paroquant::pipeline
