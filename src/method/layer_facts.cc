#include "paroquant/method/layer_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "method/basis.h"

namespace paroquant::method {
namespace {

// Calls body(group) for each group [g] of each row of a weight [N, K].
template <typename Body>
void ForEachGroup(const ConstMatrixRef& weight, int group_size, const Body& body) {
  for (Eigen::Index row = 0; row < weight.rows(); ++row) {
    for (Eigen::Index base = 0; base < weight.cols(); base += group_size) {
      body(weight.row(row).segment(base, group_size));
    }
  }
}

}  // namespace

double MeanGroupRange(const ConstMatrixRef& weight, int group_size) {
  double sum = 0;
  int64_t count = 0;
  ForEachGroup(weight, group_size, [&](const auto& group) {
    const double greatest = group.cwiseAbs().maxCoeff();
    if (greatest == 0) return;
    const auto scaled = group.template cast<double>() / greatest;
    const double root_mean_square = std::sqrt(scaled.squaredNorm() / group_size);
    sum += (scaled.maxCoeff() - scaled.minCoeff()) / root_mean_square;
    ++count;
  });
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

GroupRanges MeasureRanges(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear) {
  const Matrix rotated =
      RotatedChannels(weight, {linear.channel_scales, linear.rotation}).transpose();
  return {.before = MeanGroupRange(weight, linear.group_size),
          .after = MeanGroupRange(rotated, linear.group_size)};
}

std::vector<std::string> UnusualFacts(const ConstMatrixRef& weight, int group_size,
                                      const InputStatistics* statistics) {
  constexpr float kDwarfs = 0.99F;  // the part of a group's energy that one weight has
  std::vector<std::string> facts;
  const auto note = [&](const char* what, int64_t count) {
    if (count > 0) facts.push_back(fmt::format("{}: {}", what, count));
  };
  if (statistics != nullptr) {
    note("inputs that are always 0", (statistics->MeanSquares().array() == 0).count());
    if (statistics->tokens() < statistics->channels()) {
      facts.push_back(fmt::format("{} tokens for {} inputs: correlations are guesswork",
                                  statistics->tokens(), statistics->channels()));
    }
  }
  int64_t constant = 0;
  int64_t one_sign = 0;
  int64_t dwarfed = 0;
  ForEachGroup(weight, group_size, [&](const auto& group) {
    const float least = group.minCoeff();
    const float greatest = group.maxCoeff();
    constant += least == greatest ? 1 : 0;
    one_sign += least != greatest && (least > 0 || greatest < 0) ? 1 : 0;
    const auto scaled = group / std::max(std::max(greatest, -least), 1e-30F);
    dwarfed += least != greatest && kDwarfs * scaled.squaredNorm() < 1 ? 1 : 0;
  });
  note("groups of equal weights", constant);
  note("groups of weights of one sign", one_sign);
  note("groups with one weight that dwarfs the others", dwarfed);
  return facts;
}

}  // namespace paroquant::method
