#include "pipeline/calibrated_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/base/memory_use.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/packing.h"
#include "paroquant/runtime/rotated_linear.h"
#include "pipeline/block_tuner.h"

namespace paroquant::pipeline {
namespace {

// Bytes that a disk writes in a second, until it is measured.
constexpr double kSlowDisk = 200e6;

// Puts a quantized layer where the runtime multiplies with it from here on.
void Place(const LayerPlan& plan, const quant::QuantizedLinear& linear,
           const model::Checkpoint& source, nn::Block& block) {
  block.ReplaceLinear(plan.index, std::make_unique<runtime::RotatedLinear>(
                                      quant::MakeView(quant::Pack(linear, plan.info.name)),
                                      nn::ReadBias(source, plan.info)));
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
    // What the streams took. Experts, of which there are hundreds, take little.
    if (plans_[stage.first].info.expert < 0) ReleaseFreedMemory();
    std::vector<SolvedLayer> layers = quantizer_.Solve(plans, std::move(moments), output_moments_);
    for (const SolvedLayer& layer : layers) Place(layer);
    if (keeps_) {
      std::ranges::move(layers, std::back_inserter(kept_));
    } else {
      quantizer_.Finish(std::move(layers));
    }
    for (size_t i = stage.first; i < stage.end(); ++i) output_moments_[i].resize(0, 0);
  }

  void Place(const SolvedLayer& layer) {
    pipeline::Place(layer.report.plan, layer.linear, source_, block_);
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

}  // namespace

CalibratedRun::CalibratedRun(const runtime::LanguageModel& model, const CalibrationText& text,
                             LayerQuantizer& quantizer, RunState& state, RunProgress& progress,
                             QuantizeSummary& summary)
    : model_(model),
      text_(text),
      recipe_(summary.options.recipe),
      quantizer_(quantizer),
      state_(state),
      progress_(progress),
      summary_(summary),
      store_(summary.options.out, summary.options.memory_budget),
      stream_(model, text,
              {.repairs = recipe_.layer.UsesRepairs(),
               .reference = recipe_.tuning.Tunes() || recipe_.UsesGradients()},
              store_),
      saving_seconds_(static_cast<double>(stream_.bytes()) / kSlowDisk) {}

void CalibratedRun::Run(std::span<const LayerPlan> plans) {
  const std::vector<std::span<const LayerPlan>> blocks = ByBlock(plans);
  const int64_t passed = RestoreStreams(blocks);
  for (int64_t i = 0; i < std::ssize(blocks); ++i) {
    const std::span<const LayerPlan> block = blocks[static_cast<size_t>(i)];
    if (std::optional<FinishedBlock> finished = state_.LoadBlock(block)) {
      TakeOver(block.front().layer, *std::move(finished), i < passed);
    } else {
      RunBlock(block);
    }
    if (i >= passed && i + 1 < std::ssize(blocks)) SaveStreams(i + 1);
  }
  const HeldOutDivergence divergence = stream_.Divergence();
  progress_.Comparison(divergence.mean);
  summary_.expected_kl = divergence.mean;
  summary_.expected_kl_stderr = divergence.standard_error;
  summary_.peak_spilled_bytes = static_cast<int64_t>(store_.peak_on_disk());
}

void CalibratedRun::TakeGradients() {
  std::vector<std::vector<int32_t>> sequences;
  const auto count = static_cast<size_t>(recipe_.layer.row_feedback_sequences);
  for (size_t i = 0; i < text_.sequences.size() && sequences.size() < count; i += 2) {
    sequences.push_back(text_.sequences[i]);
  }
  RunProgress::Part progress = progress_.Gradients();
  output_moments_.emplace(model_, sequences, summary_.options.seed, store_, progress);
}

void CalibratedRun::RunBlock(std::span<const LayerPlan> plans) {
  if (recipe_.UsesGradients() && !output_moments_) TakeGradients();
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
  if (output_moments_) {
    output_moments_->Drop(layer);
    progress_.GradientMoments(layer);
  }
  StoredMatrix input;
  if (tunes) input = stream_.Copy();
  nn::Block block = model_.MakeBlock(layer);
  BlockVisitor visitor(plans, block, model_.checkpoint(), quantizer_, moments,
                       tunes || quantizer_.FoldsScales());
  stream_.RunBlock(layer, block, fmt::format("block {}", layer), visitor);
  BlockFacts facts;
  if (tunes && !visitor.kept().empty()) {
    facts.tuning = TuneLayers(model_, layer, recipe_.tuning, loss, input.view(), stream_,
                              visitor.kept(), progress_);
    for (const SolvedLayer& solved : visitor.kept()) visitor.Place(solved);
    stream_.RunAgain(block, std::move(input));
  }
  quantizer_.Finish(std::move(visitor.kept()));
  facts.held_out_loss = stream_.HeldOutLoss();
  state_.FinishBlock(layer, facts);
  progress_.Block(layer, facts.held_out_loss);
  AddToSummary(std::move(facts));
}

int64_t CalibratedRun::RestoreStreams(std::span<const std::span<const LayerPlan>> blocks) {
  const auto read = [&](int64_t passed, io::Record& streams) {
    const auto before = blocks.first(std::min(static_cast<size_t>(passed), blocks.size()));
    const auto finished = [&](const auto& block) { return state_.LoadBlock(block).has_value(); };
    if (!std::ranges::all_of(before, finished)) return false;  // one of them is to be done again
    stream_.Restore(streams);
    return true;
  };
  return state_.LoadStreams(read).value_or(0);
}

void CalibratedRun::SaveStreams(int64_t passed) {
  if (since_saving_.Seconds() * summary_.options.saving_share < saving_seconds_) return;
  since_saving_ = Stopwatch();
  try {
    state_.SaveStreams(passed, [&](io::RecordWriter& record) { stream_.Save(record); });
    saving_seconds_ = since_saving_.Seconds();
  } catch (const Error& error) {
    // They save time only, and take more room than all the rest.
    summary_.notes.push_back(
        fmt::format("{} Activations are not kept for --resume.", error.what()));
    saving_seconds_ = std::numeric_limits<double>::infinity();
  }
}

void CalibratedRun::TakeOver(int64_t layer, FinishedBlock finished, bool passed) {
  nn::Block block = model_.MakeBlock(layer);
  if (!passed) {
    for (const FinishedLayer& finished_layer : finished.layers) {
      Place(finished_layer.report.plan, finished_layer.linear, model_.checkpoint(), block);
    }
    stream_.Pass(layer, block);
  }
  quantizer_.TakeOver(std::move(finished.layers));
  progress_.TakeOver(layer, passed, finished.facts.held_out_loss);
  ++summary_.resumed_blocks;
  AddToSummary(std::move(finished.facts));
}

void CalibratedRun::AddToSummary(BlockFacts facts) {
  summary_.held_out_losses.push_back(facts.held_out_loss.value_or(std::nan("")));
  if (facts.tuning) summary_.tuning.push_back(*std::move(facts.tuning));
}

}  // namespace paroquant::pipeline
