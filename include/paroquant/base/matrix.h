// The one header that names Eigen: dense row-major matrices and views of them. Activations are
// [tokens, channels], weights [out features N, in features K], as Hugging Face stores them.
#ifndef PAROQUANT_BASE_MATRIX_H_
#define PAROQUANT_BASE_MATRIX_H_

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace paroquant {

template <typename Scalar>
using MatrixOf = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename Scalar>
using VectorOf = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

using Matrix = MatrixOf<float>;
using MatrixD = MatrixOf<double>;
using Vector = VectorOf<float>;
using VectorD = VectorOf<double>;

// Views of row-major storage whose rows may lie further apart than their length.
using MatrixRef = Eigen::Ref<Matrix, 0, Eigen::OuterStride<>>;
using ConstMatrixRef = Eigen::Ref<const Matrix, 0, Eigen::OuterStride<>>;
using MatrixMap = Eigen::Map<Matrix>;
using ConstMatrixMap = Eigen::Map<const Matrix>;

}  // namespace paroquant

#endif  // PAROQUANT_BASE_MATRIX_H_
