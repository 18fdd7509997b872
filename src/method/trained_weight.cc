#include "method/trained_weight.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "method/basis.h"
#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::method {
namespace {

using quant::PreparedRotation;

std::span<const float> AsSpan(const Vector& vector) {
  return {vector.data(), static_cast<size_t>(vector.size())};
}
std::span<float> AsSpan(Vector& vector) {
  return {vector.data(), static_cast<size_t>(vector.size())};
}

// Row k of `channels` times factors[k].
void ScaleChannels(const Vector& factors, Matrix& channels) {
  ParallelFor(channels.rows(), [&](int64_t k) { channels.row(k) *= factors[k]; });
}

// sum over n of a[k, n] b[k, n], for each channel k.
Vector ChannelProducts(const Matrix& a, const Matrix& b) {
  Vector sums(a.rows());
  ParallelFor(a.rows(), [&](int64_t k) { sums[k] = a.row(k).dot(b.row(k)); });
  return sums;
}

// The nearest half that a checkpoint may hold as a scale.
uint16_t StoredScale(float scale) {
  return FloatToHalf(std::clamp(scale, quant::kMinHalf, kMaxHalf));
}

Vector StoredAngles(const quant::Rotation& rotation) {
  Vector angles(static_cast<Eigen::Index>(rotation.theta.size()));
  for (Eigen::Index i = 0; i < angles.size(); ++i) {
    angles[i] = HalfToFloat(rotation.theta[static_cast<size_t>(i)]);
  }
  return angles;
}

Grids StoredGrids(const quant::QuantizedLinear& linear) {
  const int64_t groups = linear.in_features / linear.group_size;
  Grids grids{Matrix(groups, linear.out_features), Matrix(groups, linear.out_features)};
  for (int64_t n = 0; n < linear.out_features; ++n) {
    for (int64_t group = 0; group < groups; ++group) {
      const auto index = static_cast<size_t>(n * groups + group);
      grids.scales(group, n) = HalfToFloat(linear.scales[index]);
      grids.zeros(group, n) = linear.zeros[index];
    }
  }
  return grids;
}

// Multiplies or divides each weight [K, N] by the scale of its grid.
void ToWeights(const Grids& grids, Matrix& steps) {
  const int64_t size = steps.rows() / grids.scales.rows();
  ParallelFor(steps.rows(), [&](int64_t k) {
    steps.row(k) = steps.row(k).cwiseProduct(grids.scales.row(k / size));
  });
}
void ToSteps(const Grids& grids, Matrix& weights) {
  const int64_t size = weights.rows() / grids.scales.rows();
  ParallelFor(weights.rows(), [&](int64_t k) {
    weights.row(k) = weights.row(k).cwiseQuotient(grids.scales.row(k / size));
  });
}

// Brings each weight [K, N], in steps, within `margin` of its code.
void MoveIntoCells(const quant::QuantizedLinear& linear, const Grids& grids, float margin,
                   Matrix& steps) {
  ParallelFor(linear.in_features, [&](int64_t k) {
    const int64_t group = k / linear.group_size;
    for (int64_t n = 0; n < linear.out_features; ++n) {
      const auto code =
          static_cast<float>(linear.codes[static_cast<size_t>(n * linear.in_features + k)]);
      const float centre = code - grids.zeros(group, n);
      steps(k, n) = std::clamp(steps(k, n), centre - margin, centre + margin);
    }
  });
}

}  // namespace

TrainedWeight::TrainedWeight(const quant::QuantizedLinear& start, const ConstMatrixRef& weight,
                             TrainedBasis basis, float margin)
    : start_(start),
      basis_(basis),
      zero_(quant::IsSymmetric(start) ? quant::ZeroPoint::kMiddle : quant::ZeroPoint::kFree),
      start_scales_(quant::ChannelScales(start)) {
  parameters_ = {.weight = ScaledChannels(weight, ColumnScales(start.channel_scales)),
                 .column_factors = Vector::Ones(start.in_features),
                 .angles = StoredAngles(start.rotation),
                 .grids = StoredGrids(start)};
  if (basis == TrainedBasis::kOriginal) return;
  Rotation().RotateChannels(parameters_.weight, nullptr, parameters_.weight);
  ToSteps(parameters_.grids, parameters_.weight);
  MoveIntoCells(start, parameters_.grids, margin, parameters_.weight);
}

PreparedRotation<float> TrainedWeight::Rotation() const {
  return {start_.rotation, AsSpan(parameters_.angles)};
}

Vector TrainedWeight::ChannelScales() const {
  return start_scales_.cwiseQuotient(parameters_.column_factors);
}

Matrix TrainedWeight::RotatedWeight(const PreparedRotation<float>& rotation,
                                    const Vector& factors) const {
  if (basis_ == TrainedBasis::kSteps) {
    Matrix weights = parameters_.weight;
    ToWeights(parameters_.grids, weights);
    return weights;
  }
  Matrix rotated(parameters_.weight.rows(), parameters_.weight.cols());
  rotation.RotateChannels(parameters_.weight, factors.data(), rotated);
  return rotated;
}

void TrainedWeight::Forward(GridSource source, Matrix& effective) {
  const PreparedRotation<float> rotation = Rotation();
  rotated_ = RotatedWeight(rotation, parameters_.column_factors);
  grids_ = source == GridSource::kMinMax
               ? MinMaxGrids(rotated_, start_.group_size, start_.bits, zero_)
               : parameters_.grids;
  FakeQuantize(rotated_, grids_, start_.bits, effective);
  const Vector scales = ChannelScales();
  rotation.UnrotateChannels(effective, scales.data(), effective);
}

void TrainedWeight::Backward(GridSource source, ClampGradient clamp, const Matrix& effective,
                             Matrix effective_gradient, WeightParameters& gradients) const {
  const PreparedRotation<float> rotation = Rotation();
  const Vector scales = ChannelScales();
  gradients.angles = Vector::Zero(parameters_.angles.size());
  // m divides the effective weight here and may multiply A below.
  gradients.column_factors =
      -ChannelProducts(effective_gradient, effective).cwiseQuotient(parameters_.column_factors);

  Matrix values = effective;
  ScaleChannels(scales.cwiseInverse(), values);
  ScaleChannels(scales, effective_gradient);
  rotation.UnrotateChannelsBackward(values, effective_gradient, AsSpan(gradients.angles));
  FakeQuantizeBackward(rotated_, grids_, start_.bits, clamp, effective_gradient, gradients.grids);
  if (source == GridSource::kMinMax) {
    MinMaxGridsBackward(rotated_, gradients.grids.scales, start_.bits, zero_, effective_gradient);
  }
  RotatedWeightBackward(rotation, effective_gradient, gradients);
  gradients.weight = std::move(effective_gradient);
}

void TrainedWeight::RotatedWeightBackward(const PreparedRotation<float>& rotation, Matrix& gradient,
                                          WeightParameters& gradients) const {
  if (basis_ == TrainedBasis::kSteps) {
    const int64_t size = start_.group_size;
    ParallelFor(gradients.grids.scales.rows(), [&](int64_t group) {
      gradients.grids.scales.row(group) +=
          gradient.middleRows(group * size, size)
              .cwiseProduct(parameters_.weight.middleRows(group * size, size))
              .colwise()
              .sum();
    });
    ToWeights(parameters_.grids, gradient);
    return;
  }
  Matrix values = rotated_;
  rotation.RotateChannelsBackward(values, gradient, AsSpan(gradients.angles));
  gradients.column_factors += ChannelProducts(gradient, parameters_.weight);
  ScaleChannels(parameters_.column_factors, gradient);
}

void TrainedWeight::FixGrids() {
  parameters_.grids = MinMaxGrids(RotatedWeight(Rotation(), parameters_.column_factors),
                                  start_.group_size, start_.bits, zero_);
}

quant::QuantizedLinear TrainedWeight::Snap(GridSource source) const {
  quant::QuantizedLinear snapped = start_;
  for (size_t i = 0; i < snapped.rotation.theta.size(); ++i) {
    snapped.rotation.theta[i] = FloatToHalf(parameters_.angles[static_cast<Eigen::Index>(i)]);
  }
  const Vector scales = ChannelScales();
  for (size_t k = 0; k < snapped.channel_scales.size(); ++k) {
    snapped.channel_scales[k] = StoredScale(scales[static_cast<Eigen::Index>(k)]);
  }
  // W / (stored scales), rotated by the stored angles.
  const Matrix rotated = RotatedWeight(PreparedRotation<float>(snapped.rotation),
                                       start_scales_.cwiseQuotient(quant::ChannelScales(snapped)));

  const int64_t groups = start_.in_features / start_.group_size;
  const auto size = static_cast<size_t>(start_.group_size);
  ParallelFor(start_.out_features, [&](int64_t n) {
    const Vector row = rotated.col(n);
    for (int64_t group = 0; group < groups; ++group) {
      const auto index = static_cast<size_t>(n * groups + group);
      const std::span<const float> weights(row.data() + group * start_.group_size, size);
      quant::Grid grid = quant::MinMaxGrid(weights, start_.bits, zero_);
      if (source == GridSource::kLearned) {
        const auto max_code = static_cast<float>(quant::MaxCode(start_.bits));
        grid.scale = HalfToFloat(StoredScale(parameters_.grids.scales(group, n)));
        grid.zero = static_cast<int>(
            std::clamp(std::rint(parameters_.grids.zeros(group, n)), 0.0F, max_code));
      }
      snapped.scales[index] = FloatToHalf(grid.scale);
      snapped.zeros[index] = static_cast<uint8_t>(grid.zero);
      quant::QuantizeGroup(weights, grid, start_.bits,
                           std::span(snapped.codes).subspan(index * size, size));
    }
  });
  return snapped;
}

}  // namespace paroquant::method
