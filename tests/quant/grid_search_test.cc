#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/quant/affine.h"
#include "tests/quant/fixtures.h"

namespace paroquant::quant {
namespace {

// The search by its description, for one row, in double where it does not decide a code.
class PlainSearch {
 public:
  PlainSearch(std::vector<float> weights, std::vector<float> importance, int bits)
      : weights_(std::move(weights)),
        importance_(std::move(importance)),
        max_code_(static_cast<float>(MaxCode(bits))) {
    const Grid start = MinMaxGrid(weights_, bits);
    best_ = {start.scale, static_cast<float>(start.zero)};
    error_ = Error(best_);
  }

  struct Candidate {
    float scale, zero;
  };

  double Error(const Candidate& grid) const {
    double sum = 0;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const double error = double{Code(weights_[i], grid)} * grid.scale - weights_[i];
      sum += importance_[i] * error * error;
    }
    return sum;
  }

  Candidate Search() {
    const float low = std::min(0.0F, *std::min_element(weights_.begin(), weights_.end()));
    const float high = std::max(0.0F, *std::max_element(weights_.begin(), weights_.end()));
    for (int i = 0; i < 18; ++i) {
      const float factor = 0.55F + (1.05F - 0.55F) * static_cast<float>(i) / 17;
      const float scale = Snap((high - low) / max_code_ * factor);
      const float zero = std::floor(max_code_ / 2 - (low / 2 + high / 2) / scale);
      Judge({scale, Clamp(zero)});
      Judge({scale, Clamp(zero + 1)});
    }
    for (int refit = 0; refit < 2; ++refit) {
      const Candidate from = best_;
      for (const float shift : {0.0F, -1.0F, 1.0F}) {
        const Candidate shifted = {from.scale, Clamp(from.zero + shift)};
        Judge({Snap(LeastSquaresScale(shifted)), shifted.zero});
      }
    }
    return best_;
  }

 private:
  static float Snap(float scale) { return SnapToHalf(std::clamp(scale, kMinHalf, kMaxHalf)); }
  float Clamp(float zero) const { return std::clamp(zero, 0.0F, max_code_); }
  float Code(float weight, const Candidate& grid) const {
    return std::clamp(std::rint(weight / grid.scale) + grid.zero, 0.0F, max_code_) - grid.zero;
  }
  float LeastSquaresScale(const Candidate& grid) const {
    double numerator = 0;
    double denominator = 0;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const double code = Code(weights_[i], grid);
      numerator += importance_[i] * code * weights_[i];
      denominator += importance_[i] * code * code;
    }
    return static_cast<float>(numerator / denominator);
  }
  void Judge(const Candidate& candidate) {
    const double error = Error(candidate);
    if (error < error_) {
      error_ = error;
      best_ = candidate;
    }
  }

  std::vector<float> weights_, importance_;
  float max_code_;
  Candidate best_{};
  double error_ = 0;
};

std::vector<float> RandomImportance(size_t size) {
  const Matrix normal = testing::RandomMatrix(1, static_cast<int64_t>(size), 7);
  std::vector<float> importance(size);
  for (size_t i = 0; i < size; ++i) importance[i] = std::exp(normal.data()[i]);
  return importance;
}

std::vector<float> Column(const Matrix& matrix, int64_t column) {
  const Vector values = matrix.col(column);
  return {values.begin(), values.end()};
}

class GridSearchTest : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Bits, GridSearchTest, ::testing::Values(2, 3, 4, 8));

TEST_P(GridSearchTest, FindsWhatThePlainSearchFinds) {
  const int bits = GetParam();
  Matrix weights = testing::RandomMatrix(64, 37, 1);  // two strips of 16 rows and a rest
  weights.col(3).array() += 4;                        // no change of sign
  weights(5, 7) = 40;                                 // an outlier
  const std::vector<float> importance = RandomImportance(64);
  const RowGrids found = SearchGrids(weights, importance, bits);
  for (int64_t row = 0; row < weights.cols(); ++row) {
    PlainSearch plain(Column(weights, row), importance, bits);
    const double error = plain.Error({found.scales[row], found.zeros[row]});
    const double expected = plain.Error(plain.Search());
    // Ties between candidates may fall differently in single precision.
    EXPECT_NEAR(error, expected, 1e-4 * expected) << "row " << row;
  }
}

TEST_P(GridSearchTest, IsNeverWorseThanMinMax) {
  const int bits = GetParam();
  Matrix weights = testing::RandomMatrix(32, 48, 2);
  weights.col(0).setZero();
  weights.col(1).setConstant(0.37F);
  weights.col(2).setConstant(-0.37F);
  weights.col(3) = weights.col(3).cwiseAbs();
  weights.col(4).setConstant(1e-9F);
  weights.col(5).setConstant(6e4F);
  const std::vector<float> importance = RandomImportance(32);
  const RowGrids found = SearchGrids(weights, importance, bits);
  for (int64_t row = 0; row < weights.cols(); ++row) {
    const std::vector<float> group = Column(weights, row);
    const PlainSearch plain(group, importance, bits);
    const Grid start = MinMaxGrid(group, bits);
    EXPECT_LE(plain.Error({found.scales[row], found.zeros[row]}),
              plain.Error({start.scale, static_cast<float>(start.zero)}) * (1 + 1e-5))
        << "row " << row;
    EXPECT_EQ(found.scales[row], SnapToHalf(found.scales[row]));
    EXPECT_GT(found.scales[row], 0.0F);
    EXPECT_EQ(found.zeros[row], std::rint(found.zeros[row]));
    EXPECT_GE(found.zeros[row], 0.0F);
    EXPECT_LE(found.zeros[row], static_cast<float>(MaxCode(bits)));
  }
}

// Against a scan of all scales, which the search only samples and refits.
TEST_P(GridSearchTest, SymmetricGridsAreNearTheBestScale) {
  const int bits = GetParam();
  Matrix weights = testing::RandomMatrix(64, 20, 4);
  weights.col(2).array() += 2;
  weights.col(3).setZero();
  const std::vector<float> importance = RandomImportance(64);
  const RowGrids found = SearchGrids(weights, importance, bits, ZeroPoint::kMiddle);
  const auto middle = static_cast<float>(1 << (bits - 1));
  for (int64_t row = 0; row < weights.cols(); ++row) {
    const std::vector<float> group = Column(weights, row);
    const PlainSearch plain(group, importance, bits);
    const float range = MinMaxGrid(group, bits, ZeroPoint::kMiddle).scale;
    double least = plain.Error({range, middle});
    for (int i = 1; i <= 1000; ++i) {
      const float scale =
          SnapToHalf(std::max(range * 1.2F * static_cast<float>(i) / 1000, kMinHalf));
      least = std::min(least, plain.Error({scale, middle}));
    }
    EXPECT_EQ(found.zeros[row], middle);
    // Of 256 codes, a thousand scales find one that suits every weight by chance.
    EXPECT_LE(plain.Error({found.scales[row], middle}), (bits == 8 ? 2 : 1.15) * least)
        << "row " << row;
  }
}

TEST(GridSearchTest, NoImportanceLeavesMinMax) {
  const Matrix weights = testing::RandomMatrix(32, 5, 3);
  const RowGrids found = SearchGrids(weights, std::vector<float>(32, 0.0F), 4);
  for (int64_t row = 0; row < weights.cols(); ++row) {
    const Grid expected = MinMaxGrid(Column(weights, row), 4);
    EXPECT_EQ(found.scales[row], expected.scale);
    EXPECT_EQ(found.zeros[row], static_cast<float>(expected.zero));
  }
}

}  // namespace
}  // namespace paroquant::quant
