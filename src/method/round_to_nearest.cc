#include "method/round_to_nearest.h"

#include <span>
#include <utility>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::method {

quant::QuantizedLinear RoundToNearest(const ConstMatrixRef& target, Basis basis, int bits) {
  const Vector scales = ColumnScales(basis.channel_scales);
  Matrix rotated(target.rows(), target.cols());
  quant::PreparedRotation<float>(basis.rotation).RotateRows(target, scales.data(), rotated);

  quant::QuantizedLinear linear = EmptyLinear(target.rows(), std::move(basis), bits);
  const auto size = static_cast<size_t>(linear.group_size);
  const size_t groups = static_cast<size_t>(linear.in_features) / size;
  ParallelFor(rotated.rows(), [&](int64_t row) {
    for (size_t group = 0; group < groups; ++group) {
      const size_t index = static_cast<size_t>(row) * groups + group;
      const std::span weights(rotated.row(row).data() + group * size, size);
      const quant::Grid grid = quant::MinMaxGrid(weights, bits);
      linear.scales[index] = FloatToHalf(grid.scale);
      linear.zeros[index] = static_cast<uint8_t>(grid.zero);
      quant::QuantizeGroup(weights, grid, bits,
                           std::span(linear.codes).subspan(index * size, size));
    }
  });
  return linear;
}

}  // namespace paroquant::method
