// Second-order statistics of a layer's inputs: all that the methods need to know of the
// calibration tokens, since the squared output error of a weight error E is tr(E H E^T).
#ifndef PAROQUANT_METHOD_INPUT_STATISTICS_H_
#define PAROQUANT_METHOD_INPUT_STATISTICS_H_

#include <cstdint>
#include <string>

#include "paroquant/base/matrix.h"

namespace paroquant::method {

// H = mean of x x^T over tokens, [K, K]. Linears that read the same input (q, k and v; gate and up)
// share one.
class InputStatistics {
 public:
  // `name` is the input's place in the model, for errors.
  InputStatistics(std::string name, int64_t channels);

  int64_t channels() const { return sum_.rows(); }
  int64_t tokens() const { return tokens_; }

  // Adds activations [T, K]: products of up to 512 tokens in single precision, their sums in
  // double. The result depends on how the tokens are cut into calls (in the last bits), not on
  // threads. Throws kInput if an activation is not finite.
  void Add(const ConstMatrixRef& activations);

  // Adds the tokens of another one for the same input, each counted as `factor` tokens.
  void Merge(const InputStatistics& other, double factor = 1.0);

  // The diagonal of H: the mean square of each input, [K].
  VectorD MeanSquares() const;
  // The mean of the diagonal of H.
  double MeanDiagonal() const;

  // H + lambda * I, symmetric. Without tokens H is zero.
  MatrixD Moment(double lambda) const;

  // H + damping * mean(diag H) * I, symmetric and, for damping > 0, positive definite whatever the
  // tokens were. If H is zero (no tokens, dead inputs) the identity.
  MatrixD DampedMoment(double damping) const;

  // tr(E H E^T) for E [N, K]: the mean over tokens of |E x|^2. Takes K x K doubles of memory.
  double OutputEnergy(const ConstMatrixRef& weight) const;

 private:
  std::string name_;
  MatrixD sum_;  // of x x^T; valid on and below the diagonal
  int64_t tokens_ = 0;
};

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_INPUT_STATISTICS_H_
