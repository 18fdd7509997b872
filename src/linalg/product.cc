#include "paroquant/linalg/product.h"

#include <algorithm>
#include <array>

#include "linalg/tile.h"
#include "paroquant/base/parallel.h"

namespace paroquant::linalg {
namespace {

// A part of A is packed at a time: enough rows to make the decoding of B cheap, and no deeper than
// leaves it in the last-level cache, for every panel reads all of it.
constexpr int64_t kChunkRows = 2048 / kTileRows * kTileRows;
constexpr int64_t kChunkDepth = 512;
static_assert(kChunkDepth % kPanelDepth == 0);
constexpr int64_t kSlabsPerTask = 8;
// Fewer panels than this are shared by several tasks, each with a part of the rows.
constexpr int64_t kWantedTasks = 16;

// The slabs of a chunk of A.
class PackedLeft {
 public:
  void Pack(const ConstMatrixRef& a) {
    depth_ = a.cols();
    rows_ = a.rows();
    storage_.resize(slabs() * kTileRows * depth_);
    ParallelFor(CeilDivide(slabs(), kSlabsPerTask), [&](int64_t task) {
      const int64_t row = task * kSlabsPerTask * kTileRows;
      const int64_t rows = std::min(kSlabsPerTask * kTileRows, rows_ - row);
      PackRows<kTileRows>(a.middleRows(row, rows), storage_.data() + row * depth_);
    });
  }

  int64_t depth() const { return depth_; }
  int64_t slabs() const { return CeilDivide(rows_, kTileRows); }
  int64_t SlabRows(int64_t slab) const { return std::min(kTileRows, rows_ - slab * kTileRows); }
  const float* Slab(int64_t slab, int64_t k) const {
    return storage_.data() + (slab * depth_ + k) * kTileRows;
  }

 private:
  int64_t depth_ = 0;
  int64_t rows_ = 0;
  Vector storage_;
};

// c[row * stride + column] += the product of a slab and a strip, both k long, for the first `rows`
// rows and `columns` columns.
void MultiplyTile(int64_t rows, int64_t columns, int64_t k, const float* slab, const float* strip,
                  float* c, int64_t stride) {
  const auto multiply = kernels::ActiveKernels().multiply_tile;
  if (columns == kTileColumns) {
    multiply(rows, k, slab, strip, c, stride);
    return;
  }
  std::array<float, static_cast<size_t>(kTileRows * kTileColumns)> tile{};
  multiply(rows, k, slab, strip, tile.data(), kTileColumns);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      c[row * stride + column] += tile[static_cast<size_t>(row * kTileColumns + column)];
    }
  }
}

// c += slabs [first, last) of `a`, whose first channel is panel.k - k, times a panel.
void AddPanel(const PackedLeft& a, int64_t first, int64_t last, int64_t k, const Panel& panel,
              const float* strips, MatrixRef& c) {
  for (int64_t slab = first; slab < last; ++slab) {
    for (int64_t column = 0; column < panel.columns; column += kTileColumns) {
      MultiplyTile(a.SlabRows(slab), std::min(kTileColumns, panel.columns - column), panel.depth,
                   a.Slab(slab, k), strips + column * panel.depth,
                   &c(slab * kTileRows, panel.column + column), c.outerStride());
    }
  }
}

void SetRows(std::span<const float> bias, MatrixRef c) {
  if (bias.empty()) {
    c.setZero();
  } else {
    c.rowwise() = Eigen::Map<const Vector>(bias.data(), c.cols()).transpose();
  }
}

// One task: some slabs times the columns of a panel, over all channels of the chunk.
void AddColumns(const PackedLeft& a, int64_t first_channel, int64_t first, int64_t last,
                Panel panel, const PanelPacker& pack_b, MatrixRef& c) {
  thread_local Vector strips;
  strips.resize(CeilDivide(kPanelColumns, kTileColumns) * kTileColumns * kPanelDepth);
  for (int64_t k = 0; k < a.depth(); k += kPanelDepth) {
    panel.k = first_channel + k;
    panel.depth = std::min(kPanelDepth, a.depth() - k);
    pack_b(panel, strips.data());
    AddPanel(a, first, last, k, panel, strips.data(), c);
  }
}

// c += a B, for channels of B from first_channel on; the first chunk of them starts from the bias.
void AddChunk(const PackedLeft& a, int64_t first_channel, const PanelPacker& pack_b,
              std::span<const float> bias, MatrixRef c) {
  const int64_t panels = CeilDivide(c.cols(), kPanelColumns);
  const int64_t parts = std::clamp<int64_t>(CeilDivide(kWantedTasks, panels), 1, a.slabs());
  ParallelFor(panels * parts, [&](int64_t task) {
    const int64_t part = task % parts;
    const int64_t first = part * a.slabs() / parts;
    const int64_t last = (part + 1) * a.slabs() / parts;
    const int64_t row = first * kTileRows;
    const int64_t rows = std::min(last * kTileRows, c.rows()) - row;
    const int64_t column = task / parts * kPanelColumns;
    const int64_t columns = std::min(kPanelColumns, c.cols() - column);
    if (first_channel == 0) {
      SetRows(bias.empty() ? bias : bias.subspan(column, columns),
              c.block(row, column, rows, columns));
    }
    AddColumns(a, first_channel, first, last, {.column = column, .columns = columns}, pack_b, c);
  });
}

}  // namespace

void Multiply(const ConstMatrixRef& a, const PanelPacker& pack_b, std::span<const float> bias,
              MatrixRef c) {
  if (c.size() == 0) return;
  thread_local PackedLeft left;
  for (int64_t row = 0; row < a.rows(); row += kChunkRows) {
    const int64_t rows = std::min(kChunkRows, a.rows() - row);
    int64_t k = 0;
    do {  // once even for no channels: that is the bias
      left.Pack(a.block(row, k, rows, std::min(kChunkDepth, a.cols() - k)));
      AddChunk(left, k, pack_b, bias, c.middleRows(row, rows));
      k += kChunkDepth;
    } while (k < a.cols());
  }
}

void Multiply(const ConstMatrixRef& a, const ConstMatrixRef& b, MatrixRef c) {
  const auto pack = [&](const Panel& panel, float* strips) {
    PackColumns<kTileColumns>(b.block(panel.k, panel.column, panel.depth, panel.columns), strips);
  };
  Multiply(a, pack, {}, c);
}

void MultiplyTransposed(const ConstMatrixRef& a, const ConstMatrixRef& b, MatrixRef c) {
  const auto pack = [&](const Panel& panel, float* strips) {
    PackRows<kTileColumns>(b.block(panel.column, panel.k, panel.columns, panel.depth), strips);
  };
  Multiply(a, pack, {}, c);
}

}  // namespace paroquant::linalg
