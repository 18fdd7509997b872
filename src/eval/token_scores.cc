#include "eval/token_scores.h"

#include <algorithm>
#include <cmath>

namespace paroquant::eval {
namespace {

// Floats are summed in runs of this length, the runs in double: as fast as floats, and a
// vocabulary of 150,000 loses nothing.
constexpr Eigen::Index kRun = 256;

// The sum over a row of terms(start, length), an array of floats for each run.
template <typename Terms>
double SumInRuns(Eigen::Index size, const Terms& terms) {
  double sum = 0.0;
  for (Eigen::Index start = 0; start < size; start += kRun) {
    sum += static_cast<double>(terms(start, std::min(kRun, size - start)).sum());
  }
  return sum;
}

}  // namespace

double LogSumExp(const Eigen::Ref<const Eigen::RowVectorXf>& logits) {
  const float top = logits.maxCoeff();
  const double sum = SumInRuns(logits.size(), [&](Eigen::Index start, Eigen::Index length) {
    return (logits.segment(start, length).array() - top).exp();
  });
  return static_cast<double>(top) + std::log(sum);
}

double KlDivergence(const Eigen::Ref<const Eigen::RowVectorXf>& p_logits, double p_log_sum,
                    const Eigen::Ref<const Eigen::RowVectorXf>& q_logits, double q_log_sum) {
  // sum p (log p - log q) = sum p (p_logit - q_logit) - p_log_sum + q_log_sum. The logits differ
  // little, so the constant is folded into the terms before they are summed.
  const auto shift = static_cast<float>(p_log_sum);
  const auto offset = static_cast<float>(q_log_sum - p_log_sum);
  return SumInRuns(p_logits.size(), [&](Eigen::Index start, Eigen::Index length) {
    const auto p = p_logits.segment(start, length).array();
    const auto q = q_logits.segment(start, length).array();
    return (p - shift).exp() * (p - q + offset);
  });
}

}  // namespace paroquant::eval
