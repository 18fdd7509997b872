#include "method/fake_quantization.h"

#include <algorithm>
#include <cassert>

#include "paroquant/base/parallel.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {
namespace {

using RowArray = Eigen::Array<float, 1, Eigen::Dynamic>;

// A strip of the layer's rows in one group.
struct Strip {
  int64_t group;
  int64_t channel;  // the group's first
  int64_t column;
  int64_t columns;
};

// Calls body(strip) for all of them; none writes what another reads.
template <typename Body>
void ForEachStrip(int64_t groups, int64_t group_size, int64_t columns, const Body& body) {
  constexpr int64_t kColumns = 512;
  const int64_t strips = (columns + kColumns - 1) / kColumns;
  ParallelFor(groups * strips, [&](int64_t task) {
    const int64_t column = task % strips * kColumns;
    const int64_t group = task / strips;
    body(Strip{group, group * group_size, column, std::min(kColumns, columns - column)});
  });
}

RowArray RoundedZeros(const Matrix& zeros, const Strip& strip, float max_code) {
  return zeros.row(strip.group)
      .segment(strip.column, strip.columns)
      .array()
      .rint()
      .max(0.0F)
      .min(max_code);
}

}  // namespace

void FakeQuantize(const Matrix& weights, const Grids& grids, int bits, Matrix& values) {
  const int64_t groups = grids.scales.rows();
  const int64_t size = weights.rows() / groups;
  const auto max_code = static_cast<float>(quant::MaxCode(bits));
  values.resize(weights.rows(), weights.cols());
  ForEachStrip(groups, size, weights.cols(), [&](const Strip& strip) {
    const RowArray scale =
        grids.scales.row(strip.group).segment(strip.column, strip.columns).array();
    const RowArray zero = RoundedZeros(grids.zeros, strip, max_code);
    for (int64_t i = strip.channel; i < strip.channel + size; ++i) {
      const auto w = weights.row(i).segment(strip.column, strip.columns).array();
      values.row(i).segment(strip.column, strip.columns).array() =
          (((w / scale).rint() + zero).max(0.0F).min(max_code) - zero) * scale;
    }
  });
}

void FakeQuantizeBackward(const Matrix& weights, const Grids& grids, int bits, ClampGradient clamp,
                          Matrix& gradient, Grids& grid_gradients) {
  const int64_t groups = grids.scales.rows();
  const int64_t size = weights.rows() / groups;
  const auto max_code = static_cast<float>(quant::MaxCode(bits));
  grid_gradients.scales.resize(groups, weights.cols());
  grid_gradients.zeros.resize(groups, weights.cols());
  ForEachStrip(groups, size, weights.cols(), [&](const Strip& strip) {
    const RowArray scale =
        grids.scales.row(strip.group).segment(strip.column, strip.columns).array();
    const RowArray zero = RoundedZeros(grids.zeros, strip, max_code);
    RowArray scale_sum = RowArray::Zero(strip.columns);
    RowArray zero_sum = RowArray::Zero(strip.columns);
    RowArray steps(strip.columns);
    RowArray inside(strip.columns);  // 1 where nothing is clamped, else 0
    for (int64_t i = strip.channel; i < strip.channel + size; ++i) {
      auto g = gradient.row(i).segment(strip.column, strip.columns).array();
      steps = weights.row(i).segment(strip.column, strip.columns).array() / scale;
      const RowArray code = steps.rint() + zero;
      const RowArray clamped = code.max(0.0F).min(max_code);
      if (clamp == ClampGradient::kStraightThrough) {
        scale_sum += g * (clamped - zero - steps);
        continue;
      }
      inside = (code == clamped).template cast<float>();
      scale_sum += g * (clamped - zero - inside * steps);
      zero_sum -= g * (1.0F - inside) * scale;
      g *= inside;
    }
    grid_gradients.scales.row(strip.group).segment(strip.column, strip.columns) =
        scale_sum.matrix();
    grid_gradients.zeros.row(strip.group).segment(strip.column, strip.columns) = zero_sum.matrix();
  });
}

Grids MinMaxGrids(const Matrix& weights, int group_size, int bits, quant::ZeroPoint zero) {
  const int64_t groups = weights.rows() / group_size;
  const auto max_code = static_cast<float>(quant::MaxCode(bits));
  Grids grids{Matrix(groups, weights.cols()), Matrix(groups, weights.cols())};
  ForEachStrip(groups, group_size, weights.cols(), [&](const Strip& strip) {
    RowArray least = RowArray::Zero(strip.columns);
    RowArray greatest = RowArray::Zero(strip.columns);
    for (int64_t i = strip.channel; i < strip.channel + group_size; ++i) {
      const auto w = weights.row(i).segment(strip.column, strip.columns).array();
      least = least.min(w);
      greatest = greatest.max(w);
    }
    if (zero == quant::ZeroPoint::kMiddle) {
      greatest = greatest.max(-least);
      least = -greatest;
    }
    const RowArray scale = ((greatest - least) / max_code).max(quant::kMinHalf);
    grids.scales.row(strip.group).segment(strip.column, strip.columns) = scale.matrix();
    auto zeros = grids.zeros.row(strip.group).segment(strip.column, strip.columns);
    if (zero == quant::ZeroPoint::kMiddle) {
      zeros.setConstant(quant::MiddleCode(bits));
    } else {
      zeros = (-least / scale).matrix();
    }
  });
  return grids;
}

void MinMaxGridsBackward(const Matrix& weights, const Matrix& scale_gradients, int bits,
                         quant::ZeroPoint zero, Matrix& gradient) {
  const int64_t size = weights.rows() / scale_gradients.rows();
  const auto max_code = static_cast<float>(quant::MaxCode(bits));
  ForEachStrip(scale_gradients.rows(), size, weights.cols(), [&](const Strip& strip) {
    for (int64_t n = strip.column; n < strip.column + strip.columns; ++n) {
      const auto column = weights.col(n).segment(strip.channel, size);
      Eigen::Index least = 0;
      Eigen::Index greatest = 0;
      float lower = std::min(column.minCoeff(&least), 0.0F);
      float upper = std::max(column.maxCoeff(&greatest), 0.0F);
      float share = scale_gradients(strip.group, n) / max_code;
      if (zero == quant::ZeroPoint::kMiddle) {  // only the end that is farther out counts, twice
        share *= 2;
        (upper > -lower ? lower : upper) = 0;
      }
      // An end of the range that was widened to 0 depends on no weight.
      if (upper > 0) gradient(strip.channel + greatest, n) += share;
      if (lower < 0) gradient(strip.channel + least, n) -= share;
    }
  });
}

}  // namespace paroquant::method
