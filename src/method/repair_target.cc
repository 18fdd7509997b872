#include "paroquant/method/repair_target.h"

#include <algorithm>
#include <cassert>

#include "linalg/positive_definite.h"
#include "paroquant/linalg/product.h"

namespace paroquant::method {
namespace {

// weight [N, K] times a matrix [K, K].
MatrixD Product(const Matrix& weight, const MatrixD& matrix) {
  Matrix product(weight.rows(), matrix.cols());
  linalg::Multiply(weight, matrix.cast<float>().eval(), product);
  return product.cast<double>();
}

// N of some tokens, [N, K], from the mean of d x^T and the inputs of those tokens.
MatrixD Numerator(RepairForm form, const Matrix& weight, const MatrixD& mean_repair,
                  const InputStatistics& inputs) {
  if (form == RepairForm::kInputs) return Product(weight, mean_repair);
  return mean_repair - Product(weight, inputs.Moment(0));
}

// (H + lambda)^-1 from the right: the corrections that belong to some numerators, in their place.
// `lambda` [K] is a diagonal.
void Divide(const InputStatistics& inputs, const VectorD& lambda,
            std::vector<MatrixD>& numerators) {
  MatrixD factor = inputs.Moment(0);
  factor.diagonal() += lambda;
  linalg::FactorLower(factor);
  for (MatrixD& numerator : numerators) linalg::SolveRows(factor, numerator);
}

// Evenly spaced ones.
template <typename AnyMatrix>
AnyMatrix SomeRows(const AnyMatrix& matrix) {
  const Eigen::Index stride = (matrix.rows() + kFactorRows - 1) / kFactorRows;
  return matrix(Eigen::seq(0, matrix.rows() - 1, stride), Eigen::all);
}

double Inner(const MatrixD& a, const MatrixD& b) { return a.cwiseProduct(b).sum(); }

class Repair {
 public:
  Repair(StageMoments& moments, std::span<const Matrix> weights, double damping)
      : moments_(moments), weights_(weights), lambda_(Lambda(damping)) {}

  bool Possible() const {
    return lambda_.maxCoeff() > 0 && moments_.halves[0].inputs.tokens() > 0 &&
           moments_.halves[1].inputs.tokens() > 0;
  }

  // The factor of each linear's correction.
  std::vector<double> Factors() const {
    const std::array<std::vector<MatrixD>, 2> numerators = {Numerators(0), Numerators(1)};
    std::vector<double> gains(weights_.size());
    std::vector<double> costs(weights_.size());
    for (const size_t half : {0U, 1U}) {
      std::vector<MatrixD> corrections = numerators[half];
      Divide(moments_.halves[half].inputs, lambda_, corrections);
      for (size_t i = 0; i < weights_.size(); ++i) {
        gains[i] += Inner(corrections[i], numerators[1 - half][i]);
        costs[i] += moments_.halves[1 - half].inputs.OutputEnergy(corrections[i].cast<float>());
      }
    }
    for (size_t i = 0; i < gains.size(); ++i) {
      gains[i] = costs[i] > 0 ? std::clamp(gains[i] / costs[i], 0.0, 1.0) : 0.0;
    }
    return gains;
  }

  // The halves are one then.
  std::vector<MatrixD> Corrections() {
    const InputStatistics& all = moments_.JoinInputs();
    const MatrixD mean =
        (moments_.halves[0].repair + moments_.halves[1].repair) / static_cast<double>(all.tokens());
    std::vector<MatrixD> corrections;
    for (const Matrix& weight : weights_) {
      corrections.push_back(Numerator(moments_.form, weight, mean, all));
    }
    Divide(all, lambda_, corrections);
    return corrections;
  }

 private:
  // damping * mean_j(H_jj n_j^2) / n_j^2 of each channel, n_j the norm of its columns.
  VectorD Lambda(double damping) const {
    constexpr double kLeast = 1e-6;  // of the mean of n_j^2: columns of zeros have no scale
    VectorD squares = VectorD::Zero(moments_.held_out.channels());
    for (const Matrix& weight : weights_) {
      squares += weight.cast<double>().colwise().squaredNorm().transpose();
    }
    if (squares.maxCoeff() == 0) squares.setOnes();
    squares = squares.cwiseMax(kLeast * squares.mean());
    const double mean = MeanSquares().cwiseProduct(squares).mean();
    return damping * mean * squares.cwiseInverse();
  }

  // Of the inputs of both halves, [K].
  VectorD MeanSquares() const {
    VectorD sum = VectorD::Zero(moments_.held_out.channels());
    int64_t tokens = 0;
    for (const HalfMoments& half : moments_.halves) {
      sum += static_cast<double>(half.inputs.tokens()) * half.inputs.MeanSquares();
      tokens += half.inputs.tokens();
    }
    return sum / static_cast<double>(std::max<int64_t>(tokens, 1));
  }

  // Of some rows of each linear.
  std::vector<MatrixD> Numerators(size_t half) const {
    const HalfMoments& sums = moments_.halves[half];
    MatrixD mean = moments_.form == RepairForm::kOutputs ? SomeRows(sums.repair) : sums.repair;
    mean /= static_cast<double>(sums.inputs.tokens());
    std::vector<MatrixD> numerators;
    for (const Matrix& weight : weights_) {
      numerators.push_back(Numerator(moments_.form, SomeRows(weight), mean, sums.inputs));
    }
    return numerators;
  }

  StageMoments& moments_;
  const std::span<const Matrix> weights_;
  const VectorD lambda_;  // [K]
};

}  // namespace

std::vector<RepairedTarget> RepairTargets(StageMoments& moments, std::span<const Matrix> weights,
                                          TargetChoice choice, double damping) {
  assert(moments.form != RepairForm::kOutputs || weights.size() == 1);
  assert(moments.halves[1].inputs.channels() > 0);
  std::vector<RepairedTarget> targets;
  for (const Matrix& weight : weights) targets.push_back({.weight = weight, .factor = 0.0});
  if (moments.form == RepairForm::kNone || choice == TargetChoice::kWeight) return targets;
  Repair repair(moments, weights, damping);
  if (!repair.Possible()) return targets;

  const std::vector<double> factors = choice == TargetChoice::kStreamFull
                                          ? std::vector<double>(weights.size(), 1.0)
                                          : repair.Factors();
  const std::vector<MatrixD> corrections = repair.Corrections();
  for (size_t i = 0; i < targets.size(); ++i) {
    targets[i].factor = factors[i];
    targets[i].weight += (factors[i] * corrections[i]).cast<float>();
  }
  return targets;
}

}  // namespace paroquant::method
