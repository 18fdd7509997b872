#include "paroquant/runtime/rotated_linear.h"

#include <utility>

#include "paroquant/base/half.h"
#include "paroquant/linalg/product.h"
#include "runtime/packed_panel.h"
#include "runtime/packed_vector.h"

namespace paroquant::runtime {
namespace {

// Fewer rows are cheaper one by one than decoding the codes to floats.
constexpr int64_t kFewRows = 8;

}  // namespace

RotatedLinear::RotatedLinear(quant::PackedView packed, std::vector<float> bias)
    : packed_(std::move(packed)), bias_(std::move(bias)), rotation_(packed_.rotation) {
  channel_scales_.reserve(packed_.channel_scales.size());
  for (const uint16_t scale : packed_.channel_scales) {
    channel_scales_.push_back(HalfToFloat(scale));
  }
}

void RotatedLinear::Forward(ConstMatrixRef input, MatrixRef output) const {
  if (packed_.order.empty()) {
    ForwardInOrder(input, output);
  } else {
    const Matrix ordered = input(Eigen::all, packed_.order);
    ForwardInOrder(ordered, output);
  }
}

void RotatedLinear::ForwardInOrder(ConstMatrixRef input, MatrixRef output) const {
  if (input.rows() < kFewRows && TakesVector(packed_)) {
    for (int64_t row = 0; row < input.rows(); ++row) {
      MultiplyVector(packed_, rotation_, channel_scales_.data(), input.row(row).data(),
                     output.row(row).data());
    }
    if (!bias_.empty()) {
      output.rowwise() += Eigen::Map<const Vector>(bias_.data(), output.cols()).transpose();
    }
    return;
  }
  // Kept: fresh memory for each product would take up to a twentieth of its time.
  static thread_local Matrix rotated;
  rotated.resize(input.rows(), input.cols());
  rotation_.RotateRows(input, channel_scales_.data(), rotated);
  const auto pack = [&](const linalg::Panel& panel, float* strips) {
    DecodePanel(packed_, panel, strips);
  };
  linalg::Multiply(rotated, pack, bias_, output);
}

}  // namespace paroquant::runtime
