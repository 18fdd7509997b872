#include "method/error_feedback.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "linalg/double_product.h"
#include "paroquant/base/parallel.h"

namespace paroquant::method {
namespace {

// H is a sum of products in single precision: of what remains of a channel, anything below this
// part of its diagonal in H is noise.
constexpr double kLeastPivot = 1e-6;

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

// V upper triangular with V V^T = D, a block of H. A channel of which only noise is left is taken
// as independent of the channels before it, in this block and in the others: dividing noise by
// noise would let errors grow without bound.
struct BlockFactor {
  MatrixD factor;  // V
  VectorD keep;    // [g], 0 for the channels taken as independent, else 1
};

BlockFactor UpperFactor(const Eigen::Ref<const MatrixD>& block,
                        const Eigen::Ref<const VectorD>& least) {
  const Eigen::Index size = block.rows();
  BlockFactor result{MatrixD::Zero(size, size), VectorD::Ones(size)};
  MatrixD& factor = result.factor;
  for (Eigen::Index j = size - 1; j >= 0; --j) {
    const Eigen::Index after = size - 1 - j;
    const auto row = factor.row(j).tail(after);
    const double pivot = block(j, j) - row.squaredNorm();
    factor(j, j) = std::sqrt(std::max(pivot, least[j]));
    if (pivot < least[j]) {
      result.keep[j] = 0;
      continue;
    }
    for (Eigen::Index i = 0; i < j; ++i) {
      factor(i, j) = (block(i, j) - factor.row(i).tail(after).dot(row)) / factor(j, j);
    }
  }
  return result;
}

// In place, in chunks of rows: panel = solve(panel).
template <typename Solve>
void ForRowChunks(Panel& panel, const Solve& solve) {
  constexpr int64_t kChunk = 256;
  ParallelFor((panel.rows() + kChunk - 1) / kChunk, [&](int64_t chunk) {
    const int64_t start = chunk * kChunk;
    auto part = panel.middleRows(start, std::min(kChunk, panel.rows() - start));
    solve(part);
  });
}

// Takes a group's contribution, Z Z^T, out of the panels of all groups before it. Z is [b g, g].
void Eliminate(const Panel& coupling, std::vector<Panel>& panels) {
  const int64_t size = coupling.cols();
  const int64_t groups = coupling.rows() / size;
  const linalg::Subtrahend all(coupling);
  ParallelFor(groups, [&](int64_t item) {
    const int64_t group = groups - 1 - item;  // the largest first
    all.SubtractTransposed(0, coupling.middleRows(group * size, size),
                           panels[static_cast<size_t>(group)]);
  });
}

// kLeastPivot of the diagonal of H, [K] in the order of rounding.
VectorD LeastPivots(const MatrixD& moment, const std::vector<int64_t>& order) {
  VectorD least(moment.rows());
  for (size_t i = 0; i < order.size(); ++i) {
    least[static_cast<Eigen::Index>(i)] =
        std::max(kLeastPivot * moment(order[i], order[i]), std::numeric_limits<double>::min());
  }
  return least;
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

// From the last group to the first: of H remains [A B; B^T D] with the group's D = V V^T. With
// Z = B V^-T its panel is U = Z V^-1, and A - Z Z^T remains.
ErrorFeedback FactorMoment(const MatrixD& moment, int group_size) {
  ErrorFeedback feedback{.group_size = group_size,
                         .order = RoundingOrder(moment, group_size),
                         .panels = {},
                         .inner = {},
                         .importance = Vector(moment.rows())};
  const VectorD least = LeastPivots(moment, feedback.order);
  std::vector<Panel> remaining = UpperPanels(moment, feedback.order, group_size);
  feedback.panels.resize(remaining.size());
  feedback.inner.resize(remaining.size());
  while (!remaining.empty()) {
    const size_t group = remaining.size() - 1;
    Panel panel = std::move(remaining.back());
    remaining.pop_back();
    const Eigen::Index base = panel.rows() - group_size;
    const auto [factor, keep] =
        UpperFactor(panel.bottomRows(group_size), least.segment(base, group_size));
    const VectorD pivots = factor.diagonal();
    feedback.importance.segment(base, group_size) = pivots.cwiseAbs2().cast<float>();
    feedback.inner[group] = (factor * pivots.cwiseInverse().asDiagonal()).cast<float>();

    panel.conservativeResize(base, group_size);
    ForRowChunks(panel, [&, &v = factor, &kept = keep](auto& rows) {
      v.transpose()
          .template triangularView<Eigen::Lower>()
          .template solveInPlace<Eigen::OnTheRight>(rows);
      rows *= kept.asDiagonal();
    });
    Eliminate(panel, remaining);
    ForRowChunks(panel, [&v = factor](auto& rows) {
      v.template triangularView<Eigen::Upper>().template solveInPlace<Eigen::OnTheRight>(rows);
    });
    feedback.panels[group] = panel.cast<float>();
  }
  return feedback;
}

}  // namespace paroquant::method
