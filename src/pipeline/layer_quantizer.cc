#include "pipeline/layer_quantizer.h"

#include <chrono>
#include <utility>

#include "paroquant/format/paroquant_format.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/method/repair_target.h"
#include "paroquant/method/rtn.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packing.h"

namespace paroquant::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t PackedBits(const quant::PackedLinear& packed) {
  const auto bytes = [](const auto& values) { return values.size() * sizeof(values.front()); };
  return 8 * static_cast<int64_t>(bytes(packed.qweight) + bytes(packed.qzeros) +
                                  bytes(packed.scales) + bytes(packed.theta) + bytes(packed.pairs) +
                                  bytes(packed.channel_scales));
}

Matrix ReadWeight(const model::Checkpoint& source, const model::LinearInfo& info) {
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  Matrix weight(n, k);
  model::DecodeFloats(source.FloatTensor(info.name + ".weight", {n, k}), 0, n * k, weight.data());
  return weight;
}

}  // namespace

double LayerQuantizer::BitsPerWeight() const {
  return weights_ > 0 ? static_cast<double>(stored_bits_) / static_cast<double>(weights_) : 0.0;
}

quant::QuantizedLinear LayerQuantizer::Solve(const method::LinearProblem& problem,
                                             const LayerPlan& plan) const {
  return method::QuantizeLinear(
      problem, options_.recipe.layer,
      {.bits = plan.bits, .group_size = plan.group_size, .rotations = StoredRotations(options_)});
}

quant::PackedLinear LayerQuantizer::Finish(LayerReport report, const Matrix& weight,
                                           const quant::QuantizedLinear& linear) {
  const std::string& name = report.plan.info.name;
  report.relative_weight_error = quant::RelativeWeightError(weight, linear);
  quant::PackedLinear packed = quant::Pack(linear, name);
  output_.WriteLayer(name, packed);
  report.checksum = format::Checksum(packed);
  stored_bits_ += PackedBits(packed);
  weights_ += weight.size();
  progress_.Advance(1, name);
  reports_.push_back(std::move(report));
  return packed;
}

void LayerQuantizer::Quantize(const LayerPlan& plan) {
  const auto start = Clock::now();
  const Matrix weight = ReadWeight(source_, plan.info);
  const auto linear =
      Solve({.name = plan.info.name, .target = weight, .statistics = nullptr}, plan);
  LayerReport report{.plan = plan};
  report.seconds = SecondsSince(start);
  Finish(std::move(report), weight, linear);
}

std::vector<quant::PackedView> LayerQuantizer::Quantize(std::span<const LayerPlan* const> plans,
                                                        method::StageMoments moments) {
  auto start = Clock::now();
  const method::LayerRecipe& recipe = options_.recipe.layer;
  std::vector<Matrix> weights;
  for (const LayerPlan* plan : plans) weights.push_back(ReadWeight(source_, plan->info));
  const std::vector<method::RepairedTarget> targets =
      method::RepairTargets(moments, weights, recipe.target, recipe.damping);
  const method::InputStatistics statistics = moments.TakeInputs();

  std::vector<quant::PackedView> views;
  for (size_t i = 0; i < plans.size(); ++i) {
    const LayerPlan& plan = *plans[i];
    const Matrix& target = targets[i].weight;
    const auto linear =
        Solve({.name = plan.info.name, .target = target, .statistics = &statistics}, plan);
    const auto rtn =
        method::QuantizeRtn({plan.info.name, target, &statistics}, plan.bits, plan.group_size);
    LayerReport report{.plan = plan};
    report.relative_output_error = method::RelativeOutputError(target, linear, statistics);
    report.relative_output_error_rtn = method::RelativeOutputError(target, rtn, statistics);
    if (recipe.target != method::TargetChoice::kWeight) report.repair = targets[i].factor;
    report.seconds = SecondsSince(start);
    views.push_back(quant::MakeView(Finish(std::move(report), weights[i], linear)));
    start = Clock::now();
  }
  return views;
}

}  // namespace paroquant::pipeline
