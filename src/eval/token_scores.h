// What is read off a row of logits.
#ifndef PAROQUANT_EVAL_TOKEN_SCORES_H_
#define PAROQUANT_EVAL_TOKEN_SCORES_H_

#include <cstdint>

#include "paroquant/base/matrix.h"

namespace paroquant::eval {

// Tokens whose logits are held at a time; a row can be 150,000 floats.
inline constexpr int64_t kTokensPerHead = 256;

// log(sum(exp(logits))) of a row [V], summed in double in a fixed order.
double LogSumExp(const Eigen::Ref<const Eigen::RowVectorXf>& logits);

// KL(P || Q) in nats of the distributions whose logits and LogSumExp are given.
double KlDivergence(const Eigen::Ref<const Eigen::RowVectorXf>& p_logits, double p_log_sum,
                    const Eigen::Ref<const Eigen::RowVectorXf>& q_logits, double q_log_sum);

}  // namespace paroquant::eval

#endif  // PAROQUANT_EVAL_TOKEN_SCORES_H_
