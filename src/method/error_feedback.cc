#include "error_feedback.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "paroquant/base/parallel.h"

namespace paroquant::method {
namespace {

// A pivot is at least this part of its channel's diagonal in H.
constexpr double kLeastPivot = 1e-12;

// The columns of one group in the part of H that is not yet eliminated: [(b + 1) g, g].
using Panel = MatrixD;

// The groups' columns of the permuted H, down to the diagonal.
std::vector<Panel> UpperPanels(const MatrixD& moment, const std::vector<int64_t>& order,
                               int64_t group_size) {
  std::vector<Panel> panels(order.size() / static_cast<size_t>(group_size));
  ParallelFor(static_cast<int64_t>(panels.size()), [&](int64_t group) {
    Panel panel((group + 1) * group_size, group_size);
    for (Eigen::Index i = 0; i < panel.rows(); ++i) {
      const auto row = moment.row(order[static_cast<size_t>(i)]);
      for (Eigen::Index j = 0; j < group_size; ++j) {
        panel(i, j) = row[order[static_cast<size_t>(group * group_size + j)]];
      }
    }
    panels[static_cast<size_t>(group)] = std::move(panel);
  });
  return panels;
}

// V upper triangular with V V^T = block.
MatrixD UpperFactor(const Eigen::Ref<const MatrixD>& block,
                    const Eigen::Ref<const VectorD>& least) {
  const Eigen::Index size = block.rows();
  MatrixD factor = MatrixD::Zero(size, size);
  for (Eigen::Index j = size - 1; j >= 0; --j) {
    const Eigen::Index after = size - 1 - j;
    const auto row = factor.row(j).tail(after);
    const double pivot = std::sqrt(std::max(block(j, j) - row.squaredNorm(), least[j]));
    for (Eigen::Index i = 0; i < j; ++i) {
      factor(i, j) = (block(i, j) - factor.row(i).tail(after).dot(row)) / pivot;
    }
    factor(j, j) = pivot;
  }
  return factor;
}

// rows * (V V^T)^-1.
Panel DividedByBlock(const Eigen::Ref<const Panel>& rows, const MatrixD& factor) {
  constexpr int64_t kChunk = 256;
  Panel result = rows;
  ParallelFor((rows.rows() + kChunk - 1) / kChunk, [&](int64_t chunk) {
    auto part = result.middleRows(chunk * kChunk, std::min(kChunk, rows.rows() - chunk * kChunk));
    factor.transpose().triangularView<Eigen::Lower>().solveInPlace<Eigen::OnTheRight>(part);
    factor.triangularView<Eigen::Upper>().solveInPlace<Eigen::OnTheRight>(part);
  });
  return result;
}

// Takes a group's contribution out of the panels of all groups before it.
void Eliminate(std::vector<Panel>& panels, int64_t group, const Panel& divided) {
  const Panel& eliminated = panels[static_cast<size_t>(group)];
  const int64_t size = eliminated.cols();
  ParallelFor(group, [&](int64_t item) {
    const int64_t target = group - 1 - item;  // the largest first
    panels[static_cast<size_t>(target)].noalias() -=
        divided.topRows((target + 1) * size) *
        eliminated.middleRows(target * size, size).transpose();
  });
}

}  // namespace

std::vector<int64_t> RoundingOrder(const MatrixD& moment, int group_size) {
  const VectorD diagonal = moment.diagonal();
  std::vector<int64_t> groups(static_cast<size_t>(diagonal.size() / group_size));
  std::iota(groups.begin(), groups.end(), int64_t{0});
  const auto sum = [&](int64_t group) {
    return diagonal.segment(group * group_size, group_size).sum();
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](int64_t a, int64_t b) { return sum(a) > sum(b); });
  std::vector<int64_t> order;
  order.reserve(static_cast<size_t>(diagonal.size()));
  for (const int64_t group : groups) {
    const auto begin = static_cast<std::ptrdiff_t>(order.size());
    for (int64_t i = 0; i < group_size; ++i) order.push_back(group * group_size + i);
    std::stable_sort(order.begin() + begin, order.end(),
                     [&](int64_t a, int64_t b) { return diagonal[a] > diagonal[b]; });
  }
  return order;
}

// From the last group to the first: what remains of H is [A B; B^T D], D the last group; its panel
// is U = B D^-1, and A - U B^T remains.
ErrorFeedback FactorMoment(const MatrixD& moment, int group_size) {
  ErrorFeedback feedback{.group_size = group_size,
                         .order = RoundingOrder(moment, group_size),
                         .panels = {},
                         .inner = {},
                         .importance = Vector(moment.rows())};
  std::vector<Panel> remaining = UpperPanels(moment, feedback.order, group_size);
  feedback.panels.resize(remaining.size());
  feedback.inner.resize(remaining.size());
  for (auto group = static_cast<int64_t>(remaining.size()) - 1; group >= 0; --group) {
    const auto index = static_cast<size_t>(group);
    const int64_t base = group * group_size;
    VectorD least(group_size);
    for (int64_t j = 0; j < group_size; ++j) {
      const int64_t channel = feedback.order[static_cast<size_t>(base + j)];
      least[j] = kLeastPivot * moment(channel, channel);
    }
    const MatrixD factor = UpperFactor(remaining[index].bottomRows(group_size), least);
    const VectorD pivots = factor.diagonal();
    feedback.importance.segment(base, group_size) = pivots.cwiseAbs2().cast<float>();
    feedback.inner[index] = (factor * pivots.cwiseInverse().asDiagonal()).cast<float>();
    const Panel divided = DividedByBlock(remaining[index].topRows(base), factor);
    Eliminate(remaining, group, divided);
    feedback.panels[index] = divided.cast<float>();
    remaining[index].resize(0, 0);
  }
  return feedback;
}

}  // namespace paroquant::method
