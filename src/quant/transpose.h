// Transposing between rows of activations and tiles of channels, in registers.
#ifndef PAROQUANT_QUANT_TRANSPOSE_H_
#define PAROQUANT_QUANT_TRANSPOSE_H_

#include <cstddef>
#include <cstring>
#include <utility>

#include "paroquant/base/matrix.h"

namespace paroquant::quant {

// Squares of one 64-byte vector per row: 16 floats or 8 doubles. Compilers do not find this
// pattern in a loop, and the loop costs more than the rotation it serves.
template <typename Scalar>
class SquareTransposer {
 public:
  static constexpr Eigen::Index kSide = 64 / sizeof(Scalar);

  // target[i * target_stride + j] = source[j * source_stride + i] for all i, j < kSide.
  static void Transpose(const Scalar* source, Eigen::Index source_stride, Scalar* target,
                        Eigen::Index target_stride) {
    Square rows;
    for (Eigen::Index i = 0; i < kSide; ++i) {
      std::memcpy(&rows.row[i], source + i * source_stride, sizeof(Vector));
    }
    ExchangeAll<kSide / 2>(rows);
    for (Eigen::Index i = 0; i < kSide; ++i) {
      std::memcpy(target + i * target_stride, &rows.row[i], sizeof(Vector));
    }
  }

 private:
  typedef Scalar Vector __attribute__((vector_size(64)));  // `using` would lose the attribute
  struct Square {
    Vector row[kSide];
  };

  // [A B; C D] -> [A C; B D] for blocks of kWidth, then the same inside each block.
  template <size_t kWidth>
  static void ExchangeAll(Square& rows) {
    for (size_t i = 0; i < kSide; ++i) {
      if ((i & kWidth) == 0) {
        Exchange<kWidth>(rows.row[i], rows.row[i + kWidth], std::make_index_sequence<kSide>());
      }
    }
    if constexpr (kWidth > 1) ExchangeAll<kWidth / 2>(rows);
  }

  template <size_t kWidth, size_t... kLane>
  static void Exchange(Vector& upper, Vector& lower, std::index_sequence<kLane...>) {
    const Vector before = upper;
    upper = __builtin_shufflevector(before, lower,
                                    ((kLane & kWidth) == 0 ? kLane : kSide + kLane - kWidth)...);
    lower = __builtin_shufflevector(before, lower,
                                    ((kLane & kWidth) == 0 ? kLane + kWidth : kSide + kLane)...);
  }
};

// target = source^T. Whole squares go through registers, the rest one by one. The storages do not
// overlap.
template <typename Source, typename Target>
void TransposeInto(const Source& source, Target&& target) {
  using Scalar = typename Source::Scalar;
  constexpr Eigen::Index kSide = SquareTransposer<Scalar>::kSide;
  const Eigen::Index rows = source.rows() / kSide * kSide;
  const Eigen::Index columns = source.cols() / kSide * kSide;
  for (Eigen::Index row = 0; row < rows; row += kSide) {
    for (Eigen::Index column = 0; column < columns; column += kSide) {
      SquareTransposer<Scalar>::Transpose(&source.coeffRef(row, column), source.outerStride(),
                                          &target.coeffRef(column, row), target.outerStride());
    }
  }
  const Eigen::Index rest_rows = source.rows() - rows;
  const Eigen::Index rest_columns = source.cols() - columns;
  target.rightCols(rest_rows) = source.bottomRows(rest_rows).transpose();
  target.bottomLeftCorner(rest_columns, rows) =
      source.topRightCorner(rows, rest_columns).transpose();
}

}  // namespace paroquant::quant

#endif  // PAROQUANT_QUANT_TRANSPOSE_H_
