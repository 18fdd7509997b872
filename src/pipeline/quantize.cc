#include "paroquant/pipeline/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "paroquant/base/folder.h"
#include "paroquant/base/memory_use.h"
#include "paroquant/base/stopwatch.h"
#include "paroquant/io/folder_lock.h"
#include "paroquant/pipeline/priced_plan.h"
#include "paroquant/pipeline/quantization_plan.h"
#include "paroquant/pipeline/reproduction.h"
#include "paroquant/runtime/language_model.h"
#include "pipeline/calibrated_run.h"
#include "pipeline/calibration_text.h"
#include "pipeline/checkpoint_output.h"
#include "pipeline/fingerprint.h"
#include "pipeline/layer_quantizer.h"
#include "pipeline/model_card.h"
#include "pipeline/quantized_output.h"
#include "pipeline/resumption.h"
#include "pipeline/run_progress.h"
#include "pipeline/run_state.h"

namespace paroquant::pipeline {
namespace {

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

// All blocks, of which none depends on another.
void QuantizeWithoutText(std::span<const LayerPlan> plans, LayerQuantizer& quantizer,
                         RunState& state, RunProgress& progress, QuantizeSummary& summary) {
  for (const std::span<const LayerPlan> block : ByBlock(plans)) {
    const int64_t layer = block.front().layer;
    if (std::optional<FinishedBlock> finished = state.LoadBlock(block)) {
      quantizer.TakeOver(std::move(finished->layers));
      progress.TakeOver(layer, /*passed=*/true, std::nullopt);
      ++summary.resumed_blocks;
    } else {
      QuantizeWithoutText(block, quantizer);
      state.FinishBlock(layer, {});
      progress.Block(layer, std::nullopt);
    }
  }
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

// The text of an earlier run, or else a new one, which is kept for a later run.
CalibrationText TakeText(const QuantizeOptions& options, const runtime::LanguageModel& model,
                         RunState& state, RunProgress& progress) {
  const auto finished = [&](int64_t block) { return state.HasBlock(block); };
  std::optional<CalibrationText> kept = state.LoadText();
  progress.Start(kept.has_value(), finished);
  if (kept) return *std::move(kept);
  RunProgress::Part sampling = progress.Sampling();
  CalibrationText text = LoadCalibrationText(options, model, sampling);
  state.SaveText(text);
  return text;
}

void DescribeText(const CalibrationText& text, QuantizeSummary& summary) {
  summary.calibration_source = text.source;
  summary.calibration_sequences = std::ssize(text.sequences);
  summary.calibration_tokens = std::ssize(text.sequences) * std::ssize(text.sequences.front());
  summary.held_out_sequences = std::ssize(text.held_out);
}

CardFacts FactsForCard(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                       const QuantizeOptions& options, const io::Json& provenance) {
  CardFacts facts{.checkpoint = FactsOf(plans, options),
                  .bytes = OutputBytes(source, OutputLayers(source, plans, options)),
                  .command = QuantizeCommand(options),
                  .converted = false,
                  .report = provenance,
                  .kept = {}};
  for (const LayerPlan& plan : plans) {
    if (plan.quantized) continue;
    facts.kept.push_back(plan.info.name + (plan.reason.empty() ? "" : ": " + plan.reason));
  }
  return facts;
}

// Quantizes all layers into `output`, which is committed.
void FillOutput(const runtime::LanguageModel& model, const std::vector<LayerPlan>& plans,
                CheckpointOutput& output, RunState& state, Progress& progress,
                QuantizeSummary& summary) {
  const QuantizeOptions& options = summary.options;
  const model::Checkpoint& source = model.checkpoint();
  RunProgress run(CountOperations(source.architecture(), plans, options), plans,
                  options.recipe.tuning, progress);
  LayerQuantizer quantizer(source, options, output, state, run);
  if (!options.recipe.NeedsCalibration()) {
    run.Start(/*has_text=*/true, [&](int64_t block) { return state.HasBlock(block); });
    output.CopyUntouchedTensors();
    run.PassOver();
    QuantizeWithoutText(plans, quantizer, state, run, summary);
  } else {
    const CalibrationText text = TakeText(options, model, state, run);
    DescribeText(text, summary);
    output.CopyUntouchedTensors();  // gigabytes; what is wrong with the text shows before
    run.PassOver();
    CalibratedRun(model, text, quantizer, state, run, summary).Run(plans);
  }
  run.Finish();
  summary.layers = CompleteReports(plans, quantizer.TakeReports());
  summary.bits_per_weight = quantizer.BitsPerWeight();
  io::Json provenance = Provenance(summary);
  provenance["tensors"] = output.checksums();
  output.Commit(OutputConfig(source, plans, options), provenance,
                ModelCard(source, FactsForCard(source, plans, options, provenance), summary.notes));
}

// Which step took too much is not known here.
Error NoMemory(const QuantizeOptions& options) {
  return Error(ErrorKind::kSystem,
               {.where = "memory",
                .expected = "enough of it to quantize " + options.model.string(),
                .found = std::generic_category().message(ENOMEM),
                .hint = "Use fewer or shorter calibration sequences, or a bigger machine."});
}

// The error with what is left for another run to go on with.
Error WithWhatIsKept(const Error& error, const RunState& state) {
  ErrorParts parts = error.parts();
  const std::string kept = state.WhatIsKept();
  if (kept.empty()) return error;
  const bool interrupted = error.kind() == ErrorKind::kInterrupted;
  parts.hint = interrupted || parts.hint.empty() ? kept : parts.hint + " " + kept;
  return Error(error.kind(), parts);
}

}  // namespace

QuantizeSummary Quantize(const QuantizeOptions& options, Progress& progress) {
  const Stopwatch watch;
  options.Validate();
  RequireUsableOut(options);
  const auto model = runtime::LanguageModel::Load(options.model);
  const model::Checkpoint& source = model.checkpoint();
  const QuantizationPlan plan = PlanQuantization(source, options);
  const io::Json fingerprint = Fingerprint(source, options);
  const Beginning beginning = DecideBeginning(options, fingerprint);
  if (options.resume) {
    if (auto complete = FindCompleteRun(options, plan.layers, fingerprint)) {
      const io::FolderLock lock(options.out);
      RemoveRunState(options.out);  // of a run that was stopped between its last two steps
      return *std::move(complete);
    }
  }
  for (const std::string& warning : PlanWarnings(plan, source, options)) progress.Warn(warning);
  if (options.resume && !beginning.resumes) {
    progress.Warn(fmt::format("{} holds no unfinished run: this one starts from the beginning.",
                              options.out.string()));
  }
  QuantizeSummary summary{
      .options = options, .calibration_source = "none", .fingerprint = fingerprint};
  CheckpointOutput output(source,
                          {.folder = options.out,
                           .overwrite = beginning.overwrite,
                           .resumes = beginning.resumes,
                           .shard_size = options.shard_size},
                          OutputLayers(source, plan.layers, options),
                          OutputMetadata(source, options));
  RunState state(options.out,
                 {.fingerprint = fingerprint,
                  .blocks = std::ssize(ByBlock(plan.layers)),
                  .overwrite = beginning.overwrite,
                  .model = AbsolutePath(options.model).string(),
                  .command = QuantizeCommand(options)},
                 beginning.resumes);
  try {
    FillOutput(model, plan.layers, output, state, progress, summary);
  } catch (const Error& error) {
    throw WithWhatIsKept(error, state);
  } catch (const std::bad_alloc&) {
    throw WithWhatIsKept(NoMemory(options), state);
  }
  for (const auto& notes : {plan.notes, beginning.notes, state.notes()}) {
    summary.notes.insert(summary.notes.end(), notes.begin(), notes.end());
  }
  AppendLayerNotes(summary.layers, summary.notes);
  summary.notes.insert(summary.notes.end(), output.notes().begin(), output.notes().end());
  summary.seconds = watch.Seconds();
  summary.peak_rss_bytes = PeakResidentMemory();
  return summary;
}

}  // namespace paroquant::pipeline
