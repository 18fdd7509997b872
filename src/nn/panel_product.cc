#include "paroquant/nn/panel_product.h"

#include <algorithm>
#include <vector>

#include "paroquant/base/parallel.h"

namespace paroquant::nn {
namespace {

// Rows of the input that share one decoding of a panel: enough to make the decoding cheap, few
// enough to leave work for every thread.
constexpr int64_t kRowsPerTask = 512;

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

void MultiplyPanels(ConstMatrixRef input, const PanelDecoder& decode, PanelLayout layout,
                    std::span<const float> bias, MatrixRef output) {
  const int64_t in_features = input.cols();
  const int64_t panels = CeilDivide(output.cols(), kPanelWidth);
  const int64_t row_tasks = CeilDivide(input.rows(), kRowsPerTask);
  ParallelFor(panels * row_tasks, [&](int64_t task) {
    const int64_t first = (task % panels) * kPanelWidth;
    const int64_t count = std::min(kPanelWidth, output.cols() - first);
    const int64_t row = (task / panels) * kRowsPerTask;
    const int64_t rows = std::min(kRowsPerTask, input.rows() - row);

    thread_local std::vector<float> panel;
    panel.resize(static_cast<size_t>(kPanelWidth * in_features));
    decode(first, count, panel.data());
    auto target = output.block(row, first, rows, count);
    const auto source = input.middleRows(row, rows);
    if (layout == PanelLayout::kOutputMajor) {
      target.noalias() = source * ConstMatrixMap(panel.data(), count, in_features).transpose();
    } else {
      target.noalias() = source * ConstMatrixMap(panel.data(), in_features, count);
    }
    if (!bias.empty()) {
      target.rowwise() += Eigen::Map<const Vector>(bias.data() + first, count).transpose();
    }
  });
}

}  // namespace paroquant::nn
