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

// The layers as the checkpoint will hold them.
template <typename Layer>
FoldedBlock Fold(const model::Checkpoint& source, const std::vector<Layer>& layers) {
  std::vector<const LayerPlan*> plans;
  std::vector<quant::QuantizedLinear> linears;
  for (const Layer& layer : layers) {
    plans.push_back(&layer.report.plan);
    linears.push_back(layer.linear);
  }
  return FoldScales(source, plans, std::move(linears));
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
  method::LayerRecipe recipe = options_.recipe.layer;
  if (plan.scales.home == ScaleHome::kNothing) {
    recipe.channel_scales = method::ChannelScaleChoice::kNone;
  }
  return method::QuantizeLinear(problem, recipe, Format(plan));
}

void LayerQuantizer::ShareBasis(std::span<const LayerPlan* const> plans,
                                method::StageMoments* moments) {
  if (moments == nullptr) return ShareBasis(plans, nullptr, nullptr);
  const method::InputStatistics statistics = moments->TakeInputs();
  ShareBasis(plans, &statistics, &moments->held_out);
}

void LayerQuantizer::ShareBasis(std::span<const LayerPlan* const> plans,
                                const method::InputStatistics* statistics,
                                const method::InputStatistics* held_out) {
  const LayerPlan& first = *plans.front();
  const Matrix sample = SampleRows(source_, plans);
  shared_bases_.erase(first.basis_group);
  auto basis = SolveLinear(
      {.name = first.info.name, .target = sample, .statistics = statistics, .held_out = held_out},
      first);
  shared_bases_.emplace(first.basis_group, std::move(basis));
}

// Where layers have to share a basis, rounding to nearest is done in it.
quant::QuantizedLinear LayerQuantizer::RoundToNearest(const SolvedLayer& layer) const {
  const LayerPlan& plan = layer.report.plan;
  method::LayerRecipe recipe = method::LoadRecipe("rtn").layer;
  recipe.symmetric = options_.recipe.layer.symmetric;
  method::LayerFormat format = Format(plan);
  if (plan.scales.home == ScaleHome::kNorm) format.basis_of = nullptr;
  return method::QuantizeLinear({.name = plan.info.name, .target = layer.target}, recipe, format);
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

// The run's state has the layers before they are folded: so they are run with the source's norms.
void LayerQuantizer::Finish(std::vector<SolvedLayer> layers) {
  FoldedBlock folded = Fold(source_, layers);
  WriteFolded(std::move(folded.tensors));
  for (size_t i = 0; i < layers.size(); ++i) {
    LayerReport& report = layers[i].report;
    const quant::QuantizedLinear& linear = layers[i].linear;
    const Matrix weight = model::ReadWeight(source_, report.plan.info);
    report.relative_weight_error = FoldedWeightError(weight, folded.linears[i], folded.scales[i]);
    report.ranges = method::MeasureRanges(layers[i].target, linear);
    if (options_.counts_outliers) {
      report.outliers = method::CountOutliers(layers[i].target, linear, layers[i].held_out.get());
    }
    std::vector<format::PackedTensor> tensors = Encode(report.plan, folded.linears[i]);
    report.checksum = format::Checksum(tensors);
    state_.AddLayer(report, linear);
    report.folded_scales = std::move(folded.scales[i].columns);
    Write(std::move(tensors), std::move(report));
  }
}

void LayerQuantizer::TakeOver(std::vector<FinishedLayer> layers) {
  FoldedBlock folded = Fold(source_, layers);
  WriteFolded(std::move(folded.tensors));
  for (size_t i = 0; i < layers.size(); ++i) {
    LayerReport& report = layers[i].report;
    std::vector<format::PackedTensor> tensors = Encode(report.plan, folded.linears[i]);
    assert(format::Checksum(tensors) == report.checksum);
    report.folded_scales = std::move(folded.scales[i].columns);
    Write(std::move(tensors), std::move(report));
  }
}

void LayerQuantizer::WriteFolded(std::vector<format::PackedTensor> tensors) {
  if (!tensors.empty()) output_.WriteChanged(std::move(tensors));
}

void LayerQuantizer::Write(std::vector<format::PackedTensor> tensors, LayerReport report) {
  for (const format::PackedTensor& tensor : tensors) {
    const bool counted = !counted_.insert(tensor.spec.name).second;  // shared by experts
    if (!counted) stored_bits_ += 8 * std::ssize(tensor.bytes);
  }
  output_.WriteLayer(std::move(tensors));
  weights_ += report.plan.info.out_features * report.plan.info.in_features;
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
  std::vector<SolvedLayer> layers;
  layers.push_back(std::move(layer));
  Finish(std::move(layers));
  progress_.Layer(plan);
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

  const LayerPlan& first = *plans.front();
  if (first.scales.home == ScaleHome::kNorm && first.basis_group >= 0) {
    ShareBasis(plans, &statistics, held_out.get());
  }
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
    progress_.Layer(plan);
  }
  return layers;
}

}  // namespace paroquant::pipeline
