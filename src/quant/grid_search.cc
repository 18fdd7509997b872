#include <algorithm>
#include <cassert>
#include <limits>

#include "paroquant/base/half.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::quant {
namespace {

constexpr int kLanes = 16;
// A value for each of 16 rows.
using GridLanes = Eigen::Array<float, 1, kLanes>;
// A group of 16 rows, channel by channel: [g, 16].
using Strip = Eigen::Array<float, Eigen::Dynamic, kLanes, Eigen::RowMajor>;

constexpr int kFactors = 18;
constexpr float kLowestFactor = 0.55F;
constexpr float kHighestFactor = 1.05F;
constexpr int kRefits = 2;

GridLanes SnappedScale(const GridLanes& scale) {
  return scale.max(kMinHalf).min(kMaxHalf).cast<Eigen::half>().cast<float>();
}

// The search for 16 rows at once: candidates are judged one after another and each row keeps its
// best. A candidate that is no number loses every comparison.
class StripSearch {
 public:
  StripSearch(const Strip& weights, std::span<const float> importance, int bits, ZeroPoint zero)
      : weights_(weights), importance_(importance), max_code_(static_cast<float>(MaxCode(bits))) {
    minimum_ = weights.colwise().minCoeff().min(0.0F);
    maximum_ = weights.colwise().maxCoeff().max(0.0F);
    least_zero_ = 0;
    most_zero_ = max_code_;
    if (zero == ZeroPoint::kMiddle) {
      maximum_ = maximum_.max(-minimum_);
      minimum_ = -maximum_;
      least_zero_ = most_zero_ = MiddleCode(bits);
    }
    step_ = (maximum_ - minimum_) / max_code_;
    best_scale_ = SnappedScale(step_);
    best_zero_ = Clamped(-(minimum_ / best_scale_).rint());
    best_error_ = Error(best_scale_, best_zero_);
  }

  void SearchFactors() {
    const GridLanes middle = minimum_ / 2 + maximum_ / 2;
    for (int i = 0; i < kFactors; ++i) {
      const float factor =
          kLowestFactor + (kHighestFactor - kLowestFactor) * static_cast<float>(i) / (kFactors - 1);
      const GridLanes scale = SnappedScale(step_ * factor);
      const GridLanes zero = (max_code_ / 2 - middle / scale).floor();
      Judge(scale, Clamped(zero));
      Judge(scale, Clamped(zero + 1));
    }
  }

  void Refit() {
    const GridLanes scale = best_scale_;
    const GridLanes zero = best_zero_;
    for (const float shift : {0.0F, -1.0F, 1.0F}) {
      const GridLanes shifted = Clamped(zero + shift);
      Judge(SnappedScale(LeastSquaresScale(scale, shifted)), shifted);
    }
  }

  const GridLanes& scale() const { return best_scale_; }
  const GridLanes& zero() const { return best_zero_; }

 private:
  GridLanes Clamped(const GridLanes& zero) const { return zero.max(least_zero_).min(most_zero_); }

  // sum_i importance_i (w_i - dequantized_i)^2. A product with the inverse instead of the quotient
  // may move a weight on a rounding boundary to the other side, where its error is the same.
  GridLanes Error(const GridLanes& scale, const GridLanes& zero) const {
    const GridLanes inverse = scale.inverse();
    const GridLanes lowest = -zero;
    const GridLanes highest = max_code_ - zero;
    GridLanes sum = GridLanes::Zero();
    for (Eigen::Index i = 0; i < weights_.rows(); ++i) {
      const GridLanes code = (weights_.row(i) * inverse).rint().max(lowest).min(highest);
      sum += importance_[static_cast<size_t>(i)] * (code * scale - weights_.row(i)).square();
    }
    return sum;
  }

  // The scale that fits the weights best while their codes stay those of this grid.
  GridLanes LeastSquaresScale(const GridLanes& scale, const GridLanes& zero) const {
    const GridLanes inverse = scale.inverse();
    const GridLanes lowest = -zero;
    const GridLanes highest = max_code_ - zero;
    GridLanes numerator = GridLanes::Zero();
    GridLanes denominator = GridLanes::Zero();
    for (Eigen::Index i = 0; i < weights_.rows(); ++i) {
      const GridLanes code = (weights_.row(i) * inverse).rint().max(lowest).min(highest);
      const GridLanes weighted = importance_[static_cast<size_t>(i)] * code;
      numerator += weighted * weights_.row(i);
      denominator += weighted * code;
    }
    return numerator / denominator;
  }

  void Judge(const GridLanes& scale, const GridLanes& zero) {
    const GridLanes error = Error(scale, zero);
    const auto better = (error < best_error_).eval();
    best_error_ = better.select(error, best_error_);
    best_scale_ = better.select(scale, best_scale_);
    best_zero_ = better.select(zero, best_zero_);
  }

  const Strip& weights_;
  const std::span<const float> importance_;
  const float max_code_;
  float least_zero_, most_zero_;
  GridLanes minimum_, maximum_, step_;
  GridLanes best_scale_, best_zero_, best_error_;
};

}  // namespace

RowGrids SearchGrids(const ConstMatrixRef& weights, std::span<const float> importance, int bits,
                     ZeroPoint zero) {
  assert(importance.size() == static_cast<size_t>(weights.rows()));
  RowGrids grids{Vector(weights.cols()), Vector(weights.cols())};
  Strip strip(weights.rows(), kLanes);
  for (Eigen::Index start = 0; start < weights.cols(); start += kLanes) {
    const Eigen::Index count = std::min<Eigen::Index>(kLanes, weights.cols() - start);
    if (count < kLanes) strip.setZero();
    strip.leftCols(count) = weights.middleCols(start, count).array();
    StripSearch search(strip, importance, bits, zero);
    search.SearchFactors();
    for (int i = 0; i < kRefits; ++i) search.Refit();
    grids.scales.segment(start, count) = search.scale().leftCols(count).transpose().matrix();
    grids.zeros.segment(start, count) = search.zero().leftCols(count).transpose().matrix();
  }
  return grids;
}

}  // namespace paroquant::quant
