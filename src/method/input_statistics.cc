#include "paroquant/method/input_statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/base/parallel.h"
#include "paroquant/linalg/product.h"

namespace paroquant::method {
namespace {

constexpr int64_t kTile = 128;

// A tile of a symmetric matrix, on or below its diagonal.
struct Tile {
  int64_t row, rows;
  int64_t column, columns;

  bool OnDiagonal() const { return row == column; }
};

std::vector<Tile> LowerTiles(int64_t size) {
  std::vector<Tile> tiles;
  for (int64_t row = 0; row < size; row += kTile) {
    for (int64_t column = 0; column <= row; column += kTile) {
      tiles.push_back({row, std::min(kTile, size - row), column, std::min(kTile, size - column)});
    }
  }
  return tiles;
}

}  // namespace

InputStatistics::InputStatistics(std::string name, int64_t channels)
    : name_(std::move(name)), sum_(MatrixD::Zero(channels, channels)) {}

void InputStatistics::Add(const ConstMatrixRef& activations) {
  assert(activations.cols() == channels());
  linalg::AddGram(activations, sum_);
  // What is no finite number shows in its channel's sum of squares.
  if (!sum_.diagonal().allFinite()) {
    throw Error(ErrorKind::kInput,
                {.where = name_,
                 .expected = "finite activations on the calibration text",
                 .found = "an infinity or no number",
                 .hint = "Do the model's weights hold such values, or is a file damaged?"});
  }
  tokens_ += activations.rows();
}

void InputStatistics::Merge(const InputStatistics& other, double factor) {
  assert(other.channels() == channels());
  sum_ += factor * other.sum_;
  tokens_ += std::llround(factor * static_cast<double>(other.tokens_));
}

VectorD InputStatistics::MeanSquares() const {
  return sum_.diagonal() / static_cast<double>(std::max<int64_t>(tokens_, 1));
}

double InputStatistics::MeanDiagonal() const {
  if (tokens_ == 0) return 0;
  return sum_.trace() / static_cast<double>(tokens_) / static_cast<double>(channels());
}

MatrixD InputStatistics::DampedMoment(double damping) const {
  const double mean = MeanDiagonal();
  return mean > 0 ? Moment(damping * mean) : MatrixD::Identity(channels(), channels());
}

MatrixD InputStatistics::Moment(double lambda) const {
  const double factor = 1.0 / static_cast<double>(std::max<int64_t>(tokens_, 1));
  MatrixD moment(channels(), channels());
  const std::vector<Tile> tiles = LowerTiles(channels());
  ParallelFor(static_cast<int64_t>(tiles.size()), [&](int64_t i) {
    const Tile& tile = tiles[static_cast<size_t>(i)];
    const auto source = sum_.block(tile.row, tile.column, tile.rows, tile.columns);
    moment.block(tile.row, tile.column, tile.rows, tile.columns) = factor * source;
    auto mirrored = moment.block(tile.column, tile.row, tile.columns, tile.rows);
    if (tile.OnDiagonal()) {  // whose upper half is not defined
      mirrored.triangularView<Eigen::StrictlyUpper>() = factor * source.transpose();
    } else {
      mirrored = factor * source.transpose();
    }
  });
  moment.diagonal().array() += lambda;
  return moment;
}

double InputStatistics::OutputEnergy(const ConstMatrixRef& weight) const {
  assert(weight.cols() == channels());
  if (tokens_ == 0) return 0;
  MatrixD gram = MatrixD::Zero(channels(), channels());
  linalg::AddGram(weight, gram);
  const std::vector<Tile> tiles = LowerTiles(channels());
  std::vector<double> energies(tiles.size());
  ParallelFor(static_cast<int64_t>(tiles.size()), [&](int64_t i) {
    const Tile& tile = tiles[static_cast<size_t>(i)];
    MatrixD products =
        sum_.block(tile.row, tile.column, tile.rows, tile.columns)
            .cwiseProduct(gram.block(tile.row, tile.column, tile.rows, tile.columns));
    if (tile.OnDiagonal()) {  // whose upper half is not defined
      products.triangularView<Eigen::StrictlyUpper>().setZero();
      products.diagonal() /= 2;
    }
    energies[static_cast<size_t>(i)] = 2 * products.sum();
  });
  double sum = 0;
  for (const double energy : energies) sum += energy;
  return sum / static_cast<double>(tokens_);
}

}  // namespace paroquant::method
