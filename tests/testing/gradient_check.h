// The one check of gradients: against central differences.
#ifndef PAROQUANT_TESTS_TESTING_GRADIENT_CHECK_H_
#define PAROQUANT_TESTS_TESTING_GRADIENT_CHECK_H_

#include <algorithm>
#include <cmath>
#include <functional>

#include "paroquant/base/matrix.h"

namespace paroquant::testing {

// (f(x + h e) - f(x - h e)) / 2h for every entry of x.
template <typename Scalar>
MatrixOf<Scalar> CentralDifferences(const std::function<double(const MatrixOf<Scalar>&)>& f,
                                    MatrixOf<Scalar> x, double step) {
  MatrixOf<Scalar> result(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    const Scalar at = x.data()[i];
    // What was really added, in case x + h is rounded.
    const auto above = static_cast<Scalar>(at + step);
    const auto below = static_cast<Scalar>(at - step);
    x.data()[i] = above;
    const double high = f(x);
    x.data()[i] = below;
    const double low = f(x);
    x.data()[i] = at;
    result.data()[i] = static_cast<Scalar>((high - low) / (static_cast<double>(above) - below));
  }
  return result;
}

// The largest difference between two gradients, relative to the largest entry of the second.
template <typename Scalar>
double GradientError(const MatrixOf<Scalar>& found, const MatrixOf<Scalar>& expected) {
  const double scale = expected.cwiseAbs().maxCoeff();
  return (found - expected).cwiseAbs().maxCoeff() / std::max(scale, 1e-30);
}

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_TESTING_GRADIENT_CHECK_H_
