// Root-mean-square normalisation (arXiv 1910.07467).
#ifndef PAROQUANT_NN_NORM_H_
#define PAROQUANT_NN_NORM_H_

#include <vector>

#include "paroquant/base/matrix.h"

namespace paroquant::nn {

struct RmsNorm {
  std::vector<float> weight;  // [width]
  float epsilon = 1e-6F;

  // Each run of `width` channels of a row (the whole row, or each head's slice of it) becomes
  // x / sqrt(mean(x^2) + epsilon) * weight.
  void Forward(ConstMatrixRef input, MatrixRef output) const;
  // From the gradient at the output of Forward(input) to that at its input, all of one shape. With
  // f = 1 / sqrt(mean(x^2) + epsilon) and h = gradient * weight,
  //   input_gradient = f h - x f^3 mean(h x).
  // The two gradients may be the same storage.
  void Backward(ConstMatrixRef input, ConstMatrixRef output_gradient,
                MatrixRef input_gradient) const;
};

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_NORM_H_
