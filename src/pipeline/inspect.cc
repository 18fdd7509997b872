#include "paroquant/pipeline/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>

#include "paroquant/base/matrix.h"
#include "paroquant/base/parallel.h"
#include "paroquant/method/layer_facts.h"
#include "paroquant/method/outlier_counts.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/weight_view.h"

namespace paroquant::pipeline {
namespace {

using model::Checkpoint;

WeightStatistics Measure(const Checkpoint& checkpoint, const LayerPlan& plan,
                         const InspectionOptions& options) {
  const model::LinearInfo& info = plan.info;
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const Matrix weight = model::ReadWeight(checkpoint, info);
  VectorD column_energy = VectorD::Zero(k);
  double fourth = 0.0;
  double largest = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const VectorD square = weight.row(i).transpose().cast<double>().array().square();
    column_energy += square;
    fourth += square.squaredNorm();
    largest = std::max(largest, std::sqrt(square.maxCoeff()));
  }
  const double count = static_cast<double>(n) * static_cast<double>(k);
  const double mean_square = column_energy.sum() / count;
  if (!std::isfinite(mean_square))
    model::RequireFinite(checkpoint.tensors().Get(info.WeightName()));
  WeightStatistics statistics;
  if (options.counts_outliers) {
    // A layer without groups of a usual size is one group.
    const int group_size = plan.quantized ? plan.group_size : static_cast<int>(k);
    statistics.outliers = {.group_range = method::MeanGroupRange(weight, group_size),
                           .weights = method::CountWeights(weight, group_size),
                           .channels = method::CountChannels(column_energy)};
  }
  if (mean_square == 0.0) return statistics;
  const auto middle = column_energy.begin() + k / 2;
  const double most = column_energy.maxCoeff();
  std::nth_element(column_energy.begin(), middle, column_energy.end());
  statistics.rms = std::sqrt(mean_square);
  statistics.max_over_rms = largest / std::sqrt(mean_square);
  statistics.kurtosis = fourth / count / (mean_square * mean_square);
  statistics.channel_spread = *middle > 0.0 ? std::sqrt(most / *middle) : 0.0;
  return statistics;
}

LayerInspection InspectLayer(const Checkpoint& checkpoint, const format::PackedLayers& packed,
                             const LayerPlan& plan, const InspectionOptions& options) {
  LayerInspection layer{.plan = plan};
  layer.packed = packed.Has(plan.info);
  if (!layer.packed) {
    layer.statistics = Measure(checkpoint, plan, options);
    const io::TensorView& tensor = checkpoint.tensors().Get(plan.info.WeightName());
    layer.stored_bytes = plan.info.out_features * plan.info.in_features *
                         static_cast<int64_t>(io::DTypeSize(tensor.dtype));
    return layer;
  }
  const quant::PackedView view = packed.Read(plan.info);
  layer.plan.bits = view.bits;
  layer.plan.group_size = view.group_size;
  for (const std::string& name : packed.Names(plan.info)) {
    layer.stored_bytes += static_cast<int64_t>(checkpoint.tensors().Get(name).bytes.size());
  }
  return layer;
}

// Of the weights of linears the statistics tell.
void RequireFiniteOthers(const Checkpoint& checkpoint, const std::vector<LayerPlan>& plans) {
  std::unordered_set<std::string> measured;
  for (const LayerPlan& plan : plans) measured.insert(plan.info.WeightName());
  for (const io::TensorView& tensor : checkpoint.tensors().tensors()) {
    if (!measured.contains(tensor.name)) model::RequireFinite(tensor);
  }
}

}  // namespace

Inspection Inspect(const std::filesystem::path& folder, const InspectionOptions& options) {
  const Checkpoint checkpoint = Checkpoint::Open(folder);
  const format::PackedLayers packed(checkpoint);
  Inspection result{.architecture = checkpoint.architecture(), .quantization = packed.config()};
  result.files = static_cast<int64_t>(checkpoint.tensors().files().size());
  for (const io::TensorView& tensor : checkpoint.tensors().tensors()) {
    ++result.tensors;
    result.stored_bytes += static_cast<int64_t>(tensor.bytes.size());
    if (!format::HasPackedSuffix(tensor.name)) result.parameters += tensor.elements();
  }
  const std::vector<LayerPlan> plans = PlanLayers(checkpoint.architecture(), {});
  result.layers.resize(plans.size());
  ParallelFor(static_cast<int64_t>(plans.size()), [&](int64_t i) {
    const auto index = static_cast<size_t>(i);
    result.layers[index] = InspectLayer(checkpoint, packed, plans[index], options);
  });
  RequireFiniteOthers(checkpoint, plans);
  for (const LayerInspection& layer : result.layers) {
    if (!layer.packed) continue;
    result.parameters += layer.plan.info.out_features * layer.plan.info.in_features;
  }
  return result;
}

}  // namespace paroquant::pipeline
