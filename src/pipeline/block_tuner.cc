#include "pipeline/block_tuner.h"

#include <utility>

#include "paroquant/base/stopwatch.h"
#include "paroquant/model/weight_view.h"

namespace paroquant::pipeline {
namespace {

nn::PerLinear<method::TuningLinear> TuningLinears(const model::Checkpoint& source, int64_t layer,
                                                  std::span<const SolvedLayer> layers) {
  nn::PerLinear<method::TuningLinear> linears;
  for (const model::LinearInfo& info : DescribeLinears(source.architecture(), layer)) {
    linears.push_back({.weight = model::ReadWeight(source, info),
                       .start = std::nullopt,
                       .bias = nn::ReadBias(source, info),
                       .basis_group = -1});
  }
  for (const SolvedLayer& solved : layers) {
    method::TuningLinear& linear = linears[solved.report.plan.index];
    linear.weight = solved.target;
    linear.start = solved.linear;
    linear.basis_group = solved.report.plan.basis_group;
  }
  return linears;
}

}  // namespace

TuningReport TuneLayers(const runtime::LanguageModel& model, int64_t layer,
                        const method::BlockTuningOptions& options, const method::BlockLoss& loss,
                        ConstMatrixRef input, const CalibrationStream& stream,
                        std::span<SolvedLayer> layers, RunProgress& progress) {
  const Stopwatch watch;
  const int64_t held_out = stream.held_out_rows();
  const int64_t training = input.rows() - held_out;
  const ConstMatrixMap target = stream.reference();
  nn::Block block = model.MakeBlock(layer);
  method::TunedBlock tuned = method::TuneBlock(
      block, stream.rope(), TuningLinears(model.checkpoint(), layer, layers),
      {stream.length(), input.bottomRows(training), target.bottomRows(training)},
      {stream.length(), input.topRows(held_out), target.topRows(held_out)}, loss, options,
      [&](const method::EpochReport& epoch) { progress.Epoch(layer, epoch); });
  for (SolvedLayer& solved : layers) {
    solved.linear = std::move(*tuned.linears[solved.report.plan.index]);
    solved.report.relative_output_error = solved.RelativeError(solved.linear);
  }
  return {.layer = layer, .summary = std::move(tuned.summary), .seconds = watch.Seconds()};
}

}  // namespace paroquant::pipeline
