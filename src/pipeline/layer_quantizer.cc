#include "pipeline/layer_quantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "paroquant/base/stopwatch.h"
#include "paroquant/format/paroquant_format.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/method/repair_target.h"
#include "paroquant/method/rtn.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packing.h"
#include "pipeline/source_weight.h"

namespace paroquant::pipeline {
namespace {

int64_t PackedBits(const quant::PackedLinear& packed) {
  const auto bytes = [](const auto& values) { return values.size() * sizeof(values.front()); };
  return 8 * static_cast<int64_t>(bytes(packed.qweight) + bytes(packed.qzeros) +
                                  bytes(packed.scales) + bytes(packed.theta) + bytes(packed.pairs) +
                                  bytes(packed.channel_scales));
}

// Another for each layer.
uint64_t PairsSeed(uint64_t seed, const LayerPlan& plan) { return (seed << 32U) + plan.number; }

std::string BlendingNote(const method::StageMoments& moments) {
  return fmt::format(
      "{} calibration tokens go to this expert, fewer than its {} channels want: its statistics "
      "are blended with those of others",
      *moments.routed_tokens, moments.held_out.channels());
}

}  // namespace

double SolvedLayer::RelativeError(const quant::QuantizedLinear& quantized) const {
  return method::RelativeOutputError(target, quantized, *held_out, output_energy);
}

double LayerQuantizer::BitsPerWeight() const {
  return weights_ > 0 ? static_cast<double>(stored_bits_) / static_cast<double>(weights_) : 0.0;
}

quant::QuantizedLinear LayerQuantizer::SolveLinear(const method::LinearProblem& problem,
                                                   const LayerPlan& plan) const {
  return method::QuantizeLinear(problem, options_.recipe.layer,
                                {.bits = plan.bits,
                                 .group_size = plan.group_size,
                                 .rotations = StoredRotations(options_),
                                 .seed = PairsSeed(options_.seed, plan)});
}

void LayerQuantizer::Judge(SolvedLayer& layer) const {
  LayerReport& report = layer.report;
  auto rtn =
      method::QuantizeRtn({.name = report.plan.info.name, .target = layer.target}, report.plan.bits,
                          report.plan.group_size, StoredRotations(options_));
  layer.output_energy = layer.held_out->OutputEnergy(layer.target);
  const double error = layer.RelativeError(layer.linear);
  const double rtn_error = layer.RelativeError(rtn);
  report.relative_output_error_rtn = rtn_error;
  report.accepted =
      options_.recipe.layer.rotation != method::RotationChoice::kBest || error <= rtn_error;
  report.relative_output_error = report.accepted ? error : rtn_error;
  if (!report.accepted) layer.linear = std::move(rtn);
}

void LayerQuantizer::Finish(SolvedLayer layer) {
  LayerReport& report = layer.report;
  const std::string& name = report.plan.info.name;
  const Matrix weight = ReadWeight(source_, report.plan.info);
  report.relative_weight_error = quant::RelativeWeightError(weight, layer.linear);
  report.ranges = method::MeasureRanges(layer.target, layer.linear);
  quant::PackedLinear packed = quant::Pack(layer.linear, name);
  report.checksum = format::Checksum(packed);
  stored_bits_ += PackedBits(packed);
  output_.WriteLayer(name, std::move(packed));
  weights_ += weight.size();
  progress_.Advance(1, name);
  reports_.push_back(std::move(report));
}

void LayerQuantizer::Quantize(const LayerPlan& plan) {
  const Stopwatch watch;
  SolvedLayer layer{.report = {.plan = plan},
                    .target = ReadWeight(source_, plan.info),
                    .held_out = nullptr,
                    .output_energy = 0,
                    .linear = {}};
  layer.linear = SolveLinear({.name = plan.info.name, .target = layer.target}, plan);
  layer.report.notes = method::UnusualFacts(layer.target, plan.group_size, nullptr);
  layer.report.seconds = watch.Seconds();
  Finish(std::move(layer));
}

std::vector<SolvedLayer> LayerQuantizer::Solve(std::span<const LayerPlan* const> plans,
                                               method::StageMoments moments,
                                               const nn::PerLinear<MatrixD>& output_moments) {
  Stopwatch watch;
  const method::LayerRecipe& recipe = options_.recipe.layer;
  std::vector<Matrix> weights;
  for (const LayerPlan* plan : plans) weights.push_back(ReadWeight(source_, plan->info));
  std::vector<method::RepairedTarget> targets =
      method::RepairTargets(moments, weights, recipe.target, recipe.damping);
  const method::InputStatistics statistics = moments.TakeInputs();
  const auto held_out =
      std::make_shared<const method::InputStatistics>(std::move(moments.held_out));

  std::vector<SolvedLayer> layers;
  for (size_t i = 0; i < plans.size(); ++i) {
    const LayerPlan& plan = *plans[i];
    const MatrixD& output_moment = output_moments[plan.index];
    SolvedLayer& layer = layers.emplace_back(SolvedLayer{.report = {.plan = plan},
                                                         .target = std::move(targets[i].weight),
                                                         .held_out = held_out,
                                                         .output_energy = 0,
                                                         .linear = {}});
    layer.linear =
        SolveLinear({.name = plan.info.name,
                     .target = layer.target,
                     .statistics = &statistics,
                     .output_moment = output_moment.size() > 0 ? &output_moment : nullptr,
                     .held_out = held_out.get()},
                    plan);
    Judge(layer);
    layer.report.notes = method::UnusualFacts(weights[i], plan.group_size, &statistics);
    if (moments.blended) layer.report.notes.push_back(BlendingNote(moments));
    layer.report.routed_tokens = moments.routed_tokens;
    if (recipe.UsesRepairs()) layer.report.repair = targets[i].factor;
    layer.report.seconds = watch.Seconds();
    watch = Stopwatch();
  }
  return layers;
}

}  // namespace paroquant::pipeline
