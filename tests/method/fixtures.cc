#include "tests/method/fixtures.h"

#include "tests/quant/fixtures.h"

namespace paroquant::method::testing {

using quant::testing::RandomMatrix;

Matrix CorrelatedInputs(int64_t tokens, int64_t channels, uint64_t seed) {
  const int64_t shared = channels / 8;
  const Matrix directions = RandomMatrix(shared, channels, 1000);
  const Vector scales = RandomMatrix(channels, 1, 1001).array().exp();
  return (RandomMatrix(tokens, shared, seed) * directions +
          RandomMatrix(tokens, channels, seed + 1)) *
         scales.asDiagonal();
}

MatrixD CorrelatedMoment(int64_t n, uint64_t seed) {
  const MatrixD gradients = CorrelatedInputs(4 * n, n, seed).cast<double>();
  MatrixD moment = gradients.transpose() * gradients / static_cast<double>(gradients.rows());
  moment.diagonal().array() += 0.1 * moment.diagonal().mean();
  return moment;
}

Matrix WeightWithOutliers(int64_t rows, int64_t channels, uint64_t seed) {
  Matrix weight = RandomMatrix(rows, channels, seed) / 16;
  const Vector scales = (RandomMatrix(channels, 1, seed + 1) / 2).array().exp();
  weight *= scales.asDiagonal();
  for (int64_t channel = 3; channel < channels; channel += 61) weight.col(channel) *= 12;
  return weight;
}

InputStatistics StatisticsOf(const Matrix& inputs) {
  InputStatistics statistics("inputs", inputs.cols());
  statistics.Add(inputs);
  return statistics;
}

double RelativeError(const Matrix& inputs, const Matrix& weight, const Matrix& other) {
  const MatrixD x = inputs.cast<double>();
  const MatrixD error = (weight - other).cast<double>();
  return (x * error.transpose()).squaredNorm() /
         (x * weight.cast<double>().transpose()).squaredNorm();
}

}  // namespace paroquant::method::testing
