#include "paroquant/nn/linear.h"

#include <utility>

#include "paroquant/linalg/product.h"
#include "paroquant/linalg/tile.h"
#include "paroquant/model/checkpoint.h"

namespace paroquant::nn {

DenseLinear::DenseLinear(const io::TensorView& weight, std::vector<float> bias)
    : weight_(weight), bias_(std::move(bias)) {}

void DenseLinear::Forward(ConstMatrixRef input, MatrixRef output) const {
  const auto pack = [&](const linalg::Panel& panel, float* strips) {
    thread_local Matrix rows;
    rows.resize(panel.columns, panel.depth);
    for (int64_t n = 0; n < panel.columns; ++n) {
      model::DecodeFloats(weight_, (panel.column + n) * in_features() + panel.k, panel.depth,
                          rows.row(n).data());
    }
    linalg::PackRows(rows, linalg::kTileColumns, strips);
  };
  linalg::Multiply(input, pack, bias_, output);
}

}  // namespace paroquant::nn
