#include "pipeline/layer_quantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/stopwatch.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/method/outlier_counts.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/method/repair_target.h"
#include "paroquant/model/weight_view.h"
#include "paroquant/quant/dequantize.h"
#include "pipeline/quantized_output.h"

namespace paroquant::pipeline {
namespace {

// Another for each layer.
uint64_t PairsSeed(uint64_t seed, const LayerPlan& plan) { return (seed << 32U) + plan.number; }

std::string BlendingNote(const method::StageMoments& moments) {
  return fmt::format(
      "{} calibration tokens go to this expert, fewer than its {} channels want: its statistics "
      "are blended with those of others",
      *moments.routed_tokens, moments.held_out.channels());
}

// Rows of the layers' weights, evenly spread over them.
Matrix SampleRows(const model::Checkpoint& source, std::span<const LayerPlan* const> plans) {
  constexpr int64_t kRows = 4096;
  int64_t all = 0;
  for (const LayerPlan* plan : plans) all += plan->info.out_features;
  const int64_t step = (all + kRows - 1) / kRows;
  Matrix sample((all + step - 1) / step, plans.front()->info.in_features);
  int64_t first = 0;  // row of all that a weight begins with
  for (const LayerPlan* plan : plans) {
    const Matrix weight = model::ReadWeight(source, plan->info);
    for (int64_t row = (step - first % step) % step; row < weight.rows(); row += step) {
      sample.row((first + row) / step) = weight.row(row);
    }
    first += weight.rows();
  }
  return sample;
}

}  // namespace

double SolvedLayer::RelativeError(const quant::QuantizedLinear& quantized) const {
  return method::RelativeOutputError(target, quantized, *held_out, output_energy);
}

double LayerQuantizer::BitsPerWeight() const {
  return weights_ > 0 ? static_cast<double>(stored_bits_) / static_cast<double>(weights_) : 0.0;
}

method::LayerFormat LayerQuantizer::Format(const LayerPlan& plan) const {
  return {.bits = plan.bits,
          .group_size = plan.group_size,
          .rotations = StoredRotations(options_),
          .seed = PairsSeed(options_.seed, plan),
          .basis_of = SharedBasis(plan)};
}

const quant::QuantizedLinear* LayerQuantizer::SharedBasis(const LayerPlan& plan) const {
  const auto found = shared_bases_.find(plan.basis_group);
  return plan.basis_group < 0 || found == shared_bases_.end() ? nullptr : &found->second;
}

quant::QuantizedLinear LayerQuantizer::SolveLinear(const method::LinearProblem& problem,
                                                   const LayerPlan& plan) const {
  return method::QuantizeLinear(problem, options_.recipe.layer, Format(plan));
}

void LayerQuantizer::ShareBasis(std::span<const LayerPlan* const> plans,
                                method::StageMoments* moments) {
  const LayerPlan& first = *plans.front();
  const Matrix sample = SampleRows(source_, plans);
  method::LinearProblem problem{.name = first.info.name, .target = sample};
  std::optional<method::InputStatistics> statistics;
  if (moments != nullptr) {
    statistics = moments->TakeInputs();
    problem.statistics = &*statistics;
    problem.held_out = &moments->held_out;
  }
  shared_bases_.erase(first.basis_group);
  shared_bases_.emplace(first.basis_group, SolveLinear(problem, first));
}

// Where layers share a basis, rounding to nearest has to be done in it.
quant::QuantizedLinear LayerQuantizer::RoundToNearest(const SolvedLayer& layer) const {
  const LayerPlan& plan = layer.report.plan;
  method::LayerRecipe recipe = method::LoadRecipe("rtn").layer;
  recipe.symmetric = options_.recipe.layer.symmetric;
  return method::QuantizeLinear({.name = plan.info.name, .target = layer.target}, recipe,
                                Format(plan));
}

void LayerQuantizer::Judge(SolvedLayer& layer) const {
  LayerReport& report = layer.report;
  auto rtn = RoundToNearest(layer);
  layer.output_energy = layer.held_out->OutputEnergy(layer.target);
  const double error = layer.RelativeError(layer.linear);
  const double rtn_error = layer.RelativeError(rtn);
  report.relative_output_error_rtn = rtn_error;
  report.accepted =
      options_.recipe.layer.rotation != method::RotationChoice::kBest || error <= rtn_error;
  report.relative_output_error = report.accepted ? error : rtn_error;
  if (!report.accepted) layer.linear = std::move(rtn);
}

std::vector<format::PackedTensor> LayerQuantizer::Encode(
    const LayerPlan& plan, const quant::QuantizedLinear& linear) const {
  const format::PackedStyle style = StyleOf(source_, plan, options_);
  const std::string obstacle = format::Obstacle(options_.format, linear, style);
  if (!obstacle.empty()) {
    throw Error(ErrorKind::kUnsupported,
                {.where = plan.info.name,
                 .expected = fmt::format("a layer that {} can hold", FormatName(options_.format)),
                 .found = obstacle,
                 .hint = "--skip the layer, or take --format paroquant."});
  }
  return format::Encode(options_.format, plan.info, linear, style);
}

void LayerQuantizer::Finish(SolvedLayer layer) {
  LayerReport& report = layer.report;
  const Matrix weight = model::ReadWeight(source_, report.plan.info);
  report.relative_weight_error = quant::RelativeWeightError(weight, layer.linear);
  report.ranges = method::MeasureRanges(layer.target, layer.linear);
  if (options_.counts_outliers) {
    report.outliers = method::CountOutliers(layer.target, layer.linear, layer.held_out.get());
  }
  std::vector<format::PackedTensor> tensors = Encode(report.plan, layer.linear);
  report.checksum = format::Checksum(tensors);
  state_.AddLayer(report, layer.linear);
  Write(std::move(tensors), std::move(report));
}

void LayerQuantizer::TakeOver(FinishedLayer layer) {
  std::vector<format::PackedTensor> tensors = Encode(layer.report.plan, layer.linear);
  assert(format::Checksum(tensors) == layer.report.checksum);
  Write(std::move(tensors), std::move(layer.report));
}

void LayerQuantizer::Write(std::vector<format::PackedTensor> tensors, LayerReport report) {
  for (const format::PackedTensor& tensor : tensors) {
    const bool counted = !counted_.insert(tensor.spec.name).second;  // shared by experts
    if (!counted) stored_bits_ += 8 * std::ssize(tensor.bytes);
  }
  output_.WriteLayer(std::move(tensors));
  weights_ += report.plan.info.out_features * report.plan.info.in_features;
  progress_.Advance(1, report.plan.info.name);
  reports_.push_back(std::move(report));
}

void LayerQuantizer::Quantize(const LayerPlan& plan) {
  const Stopwatch watch;
  SolvedLayer layer{.report = {.plan = plan},
                    .target = model::ReadWeight(source_, plan.info),
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
  for (const LayerPlan* plan : plans) weights.push_back(model::ReadWeight(source_, plan->info));
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
