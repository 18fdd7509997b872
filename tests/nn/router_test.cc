#include "paroquant/nn/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/quant/fixtures.h"

namespace paroquant::nn {
namespace {

using quant::testing::RandomMatrix;

// By the definition, token by token in doubles: the weight of each expert, 0 for those not chosen.
MatrixD WeightsByDefinition(const Matrix& input, const Matrix& weight, size_t per_token,
                            bool normalized) {
  const MatrixD logits = input.cast<double>() * weight.cast<double>().transpose();
  MatrixD weights = MatrixD::Zero(logits.rows(), logits.cols());
  for (Eigen::Index t = 0; t < logits.rows(); ++t) {
    std::vector<Eigen::Index> order(static_cast<size_t>(logits.cols()));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](auto a, auto b) { return logits(t, a) > logits(t, b); });
    const double all = logits.row(t).array().exp().sum();
    double chosen = 0;
    for (size_t i = 0; i < per_token; ++i) chosen += std::exp(logits(t, order[i]));
    for (size_t i = 0; i < per_token; ++i) {
      weights(t, order[i]) = std::exp(logits(t, order[i])) / (normalized ? chosen : all);
    }
  }
  return weights;
}

TEST(RouterTest, TokensGoToTheLikeliestExperts) {
  const Matrix weight = RandomMatrix(7, 24, 1);
  const Matrix input = RandomMatrix(50, 24, 2);
  for (const bool normalized : {true, false}) {
    const Routing routing = Router(weight, 3, normalized).Route(input);
    MatrixD found = MatrixD::Zero(50, 7);
    for (size_t expert = 0; expert < routing.size(); ++expert) {
      EXPECT_TRUE(std::ranges::is_sorted(routing[expert].rows));
      for (size_t i = 0; i < routing[expert].rows.size(); ++i) {
        found(routing[expert].rows[i], static_cast<Eigen::Index>(expert)) =
            routing[expert].weights[i];
      }
    }
    EXPECT_LT((found - WeightsByDefinition(input, weight, 3, normalized)).cwiseAbs().maxCoeff(),
              1e-6);
  }
}

TEST(RouterTest, OfEqualExpertsTheFirstAreChosen) {
  const Matrix weight = Matrix::Zero(5, 4);
  const Routing routing = Router(weight, 2, true).Route(RandomMatrix(3, 4, 1));
  const std::vector<int64_t> all = {0, 1, 2};
  EXPECT_EQ(routing[0].rows, all);
  EXPECT_EQ(routing[1].rows, all);
  EXPECT_EQ(routing[1].weights, std::vector<float>(3, 0.5F));
  EXPECT_TRUE(routing[2].rows.empty());
}

}  // namespace
}  // namespace paroquant::nn
