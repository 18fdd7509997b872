#include "method/pairwise_rotation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"

namespace paroquant::method {
namespace {

struct Pair {
  int first, second;
  PairMoments moments;
};

// Scales the rows of the layer (columns here) so that sum w^4 weighs them as it should, and all of
// them so that fourth powers neither overflow nor vanish.
void Normalize(Matrix& weights) {
  const float greatest = weights.cwiseAbs().maxCoeff();
  if (greatest == 0) return;
  weights /= greatest;
  for (Eigen::Index row = 0; row < weights.cols(); ++row) {
    const float norm = weights.col(row).norm();
    if (norm > 0) weights.col(row) /= std::sqrt(norm);
  }
}

// The moments of all pairs i < j, from the products of w^2 with w^2 and of w^3 with w.
std::vector<Pair> AllPairs(const Matrix& weights) {
  constexpr Eigen::Index kColumns = 512;  // the powers of a strip stay in the second-level cache
  const auto size = static_cast<int>(weights.rows());
  MatrixD squares = MatrixD::Zero(size, size);
  MatrixD cubes = MatrixD::Zero(size, size);
  for (Eigen::Index start = 0; start < weights.cols(); start += kColumns) {
    const auto strip =
        weights.middleCols(start, std::min(kColumns, weights.cols() - start)).array();
    const Matrix square = strip.square();
    const Matrix cube = square.array() * strip;
    squares += (square * square.transpose()).eval().cast<double>();
    cubes += (cube * strip.matrix().transpose()).eval().cast<double>();
  }
  std::vector<Pair> pairs;
  pairs.reserve(static_cast<size_t>(size) * static_cast<size_t>(size - 1) / 2);
  for (int i = 0; i < size; ++i) {
    for (int j = i + 1; j < size; ++j) {
      pairs.push_back({i,
                       j,
                       {.uu = squares(i, i) + squares(j, j) - 2 * squares(i, j),
                        .vv = 4 * squares(i, j),
                        .uv = 2 * (cubes(i, j) - cubes(j, i))}});
    }
  }
  return pairs;
}

// Takes pairs by falling gain while both channels are free; ties go to the lower channels.
std::vector<Pair> GreedyMatching(const std::vector<Pair>& pairs, int size) {
  std::vector<std::tuple<double, size_t>> order;
  order.reserve(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) order.emplace_back(-pairs[i].moments.Gain(), i);
  std::sort(order.begin(), order.end());
  std::vector<bool> taken(static_cast<size_t>(size));
  std::vector<Pair> matching;
  for (const auto& [negative_gain, index] : order) {
    const auto first = static_cast<size_t>(pairs[index].first);
    const auto second = static_cast<size_t>(pairs[index].second);
    if (taken[first] || taken[second]) continue;
    taken[first] = taken[second] = true;
    matching.push_back(pairs[index]);
  }
  return matching;
}

void RotatePair(Matrix& weights, const Pair& pair, float theta) {
  const float cosine = std::cos(theta);
  const float sine = std::sin(theta);
  auto first = weights.row(pair.first);
  auto second = weights.row(pair.second);
  const Eigen::RowVectorXf before = first;
  first = cosine * before + sine * second;
  second = cosine * second - sine * before;
}

}  // namespace

double PairMoments::BestAngle() const { return -std::atan2(2 * uv, vv - uu) / 4; }

double PairMoments::Gain() const { return ((uu - vv) / 2 + std::hypot((vv - uu) / 2, uv)) / 2; }

quant::Rotation FindGroupRotation(Matrix weights, int rounds) {
  const auto size = static_cast<int>(weights.rows());
  quant::Rotation rotation{
      .channels = size, .group_size = size, .rounds = rounds, .pairs = {}, .theta = {}};
  Normalize(weights);
  for (int round = 0; round < rounds; ++round) {
    for (const Pair& pair : GreedyMatching(AllPairs(weights), size)) {
      const uint16_t theta = FloatToHalf(static_cast<float>(pair.moments.BestAngle()));
      rotation.pairs.push_back(static_cast<int16_t>(pair.first));
      rotation.pairs.push_back(static_cast<int16_t>(pair.second));
      rotation.theta.push_back(theta);
      RotatePair(weights, pair, HalfToFloat(theta));
    }
  }
  return rotation;
}

quant::Rotation JoinGroups(std::span<const quant::Rotation> groups) {
  const std::ptrdiff_t size = groups.front().group_size;
  const int rounds = groups.front().rounds;
  quant::Rotation joined{.channels = std::ssize(groups) * size,
                         .group_size = groups.front().group_size,
                         .rounds = rounds,
                         .pairs = {},
                         .theta = {}};
  for (int round = 0; round < rounds; ++round) {
    for (const quant::Rotation& group : groups) {
      const auto pairs = group.pairs.begin() + round * size;
      const auto theta = group.theta.begin() + round * size / 2;
      joined.pairs.insert(joined.pairs.end(), pairs, pairs + size);
      joined.theta.insert(joined.theta.end(), theta, theta + size / 2);
    }
  }
  return joined;
}

quant::Rotation FindRotation(const Matrix& channels, int group_size, int rounds) {
  std::vector<quant::Rotation> groups(static_cast<size_t>(channels.rows() / group_size));
  ParallelFor(std::ssize(groups), [&](int64_t group) {
    groups[static_cast<size_t>(group)] =
        FindGroupRotation(channels.middleRows(group * group_size, group_size), rounds);
  });
  return JoinGroups(groups);
}

}  // namespace paroquant::method
