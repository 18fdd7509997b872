#include "paroquant/eval/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/token_scores.h"
#include "paroquant/base/rng.h"
#include "tests/testing/paths.h"

namespace paroquant::eval {
namespace {

Eigen::RowVectorXf RandomLogits(Eigen::Index size, uint64_t seed) {
  Rng rng(seed);
  return Eigen::RowVectorXf::NullaryExpr(size,
                                         [&] { return static_cast<float>(4.0 * rng.Normal()); });
}

TEST(TokenScoresTest, MatchSumsInDouble) {
  for (const Eigen::Index size : {1, 7, 1000}) {
    const Eigen::RowVectorXf p = RandomLogits(size, 1);
    const Eigen::RowVectorXf q = RandomLogits(size, 2);
    const double p_sum = std::log(p.cast<double>().array().exp().sum());
    const double q_sum = std::log(q.cast<double>().array().exp().sum());
    EXPECT_NEAR(LogSumExp(p), p_sum, 1e-6);
    double expected = 0.0;
    for (Eigen::Index i = 0; i < size; ++i) {
      const double log_p = static_cast<double>(p[i]) - p_sum;
      expected += std::exp(log_p) * (log_p - (static_cast<double>(q[i]) - q_sum));
    }
    EXPECT_NEAR(KlDivergence(p, p_sum, q, q_sum), expected, 1e-5 * (1.0 + expected));
    EXPECT_NEAR(KlDivergence(p, p_sum, p, p_sum), 0.0, 1e-7);
  }
}

TEST(MeasurePerplexityTest, AModelIsNoDistanceFromItself) {
  const auto model = runtime::LanguageModel::Load(testing::GoldenPath("models/qwen3"));
  const std::vector<Window> windows = {{.tokens = {3, 1, 4, 1, 5}}, {.tokens = {9, 2, 6, 5, 3}}};
  NoProgress progress;
  const PerplexityResult result = MeasurePerplexity(model, &model, windows, progress);
  ASSERT_TRUE(result.comparison);
  EXPECT_NEAR(result.comparison->kl_divergence.mean, 0.0, 1e-7);
  EXPECT_EQ(result.comparison->delta_nll.mean, 0.0);
  EXPECT_EQ(result.comparison->top1_agreement, 1.0);
  EXPECT_EQ(result.perplexity, std::exp(result.nll.mean));
}

TEST(MeasurePerplexityTest, StandardErrorIsThatOfTheWindowsMeans) {
  const auto model = runtime::LanguageModel::Load(testing::GoldenPath("models/qwen3"));
  const std::vector<Window> windows = {{.tokens = {3, 1, 4, 1, 5}}, {.tokens = {9, 2, 6, 5, 3}}};
  NoProgress progress;
  const double a = MeasurePerplexity(model, nullptr, {&windows[0], 1}, progress).nll.mean;
  const double b = MeasurePerplexity(model, nullptr, {&windows[1], 1}, progress).nll.mean;
  const PerplexityResult both = MeasurePerplexity(model, nullptr, windows, progress);
  EXPECT_NEAR(both.nll.mean, (a + b) / 2.0, 1e-6);
  EXPECT_NEAR(both.nll.standard_error, std::abs(a - b) / 2.0, 1e-6);
}

}  // namespace
}  // namespace paroquant::eval
