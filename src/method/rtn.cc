#include "paroquant/method/rtn.h"

#include <span>
#include <utility>
#include <vector>

#include "method/basis.h"
#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/affine.h"

namespace paroquant::method {

quant::QuantizedLinear QuantizeRtn(const LinearProblem& problem, int bits, int group_size) {
  CheckFinite(problem);
  const int64_t rows = problem.target.rows();
  const int64_t channels = problem.target.cols();
  const auto size = static_cast<size_t>(group_size);
  const size_t groups = static_cast<size_t>(channels) / size;
  Basis basis = IdentityBasis(channels, group_size);
  quant::QuantizedLinear linear{.out_features = rows,
                                .in_features = channels,
                                .bits = bits,
                                .group_size = group_size,
                                .codes = std::vector<uint8_t>(static_cast<size_t>(rows * channels)),
                                .zeros = std::vector<uint8_t>(static_cast<size_t>(rows) * groups),
                                .scales = std::vector<uint16_t>(static_cast<size_t>(rows) * groups),
                                .channel_scales = std::move(basis.channel_scales),
                                .rotation = std::move(basis.rotation)};
  ParallelFor(rows, [&](int64_t row) {
    for (size_t group = 0; group < groups; ++group) {
      const size_t index = static_cast<size_t>(row) * groups + group;
      const std::span weights(problem.target.row(row).data() + group * size, size);
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
