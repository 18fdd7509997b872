#include "paroquant/nn/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "linalg/tile.h"
#include "paroquant/base/parallel.h"

namespace paroquant::nn {
namespace {

using linalg::CeilDivide;
using linalg::kTileColumns;
using linalg::kTileRows;

// Fewer queries than this are not worth packing the keys and values for.
constexpr int64_t kFewQueries = 8;

// Keys [begin, end) that a query at `position` sees.
struct KeyRange {
  int64_t begin;
  int64_t end;
  int64_t size() const { return end - begin; }
};
KeyRange VisibleKeys(const AttentionShape& shape, int64_t position) {
  const int64_t begin = shape.window > 0 ? std::max<int64_t>(0, position - shape.window + 1) : 0;
  return {begin, position + 1};
}

int64_t KeyHead(const AttentionShape& shape, int64_t head) {
  return head / (shape.heads / shape.kv_heads);
}

template <typename Scores>
void Cap(float softcap, Scores&& scores) {
  if (softcap > 0.0F) scores = softcap * (scores / softcap).tanh();
}

// One query of one head.
void AttendQuery(const AttentionShape& shape, int64_t first, int64_t head, int64_t row,
                 AttentionSequence& sequence) {
  const int64_t dim = shape.head_dim;
  const KeyRange visible = VisibleKeys(shape, first + row);
  const int64_t column = KeyHead(shape, head) * dim;
  const auto keys = sequence.keys.block(visible.begin, column, visible.size(), dim);
  const auto values = sequence.values.block(visible.begin, column, visible.size(), dim);
  Vector scores = keys * sequence.queries.row(row).segment(head * dim, dim).transpose();
  scores *= shape.ScoreScale();
  Cap(shape.softcap, scores.array());
  scores = (scores.array() - scores.maxCoeff()).exp();
  sequence.output.row(row).segment(head * dim, dim).noalias() =
      scores.transpose() * values / scores.sum();
}

// The keys and values of one head of one sequence as the left sides of S^T = K Q^T and
// O^T = V^T P^T: with queries as the columns of both, the scores come out of the first product as
// the second reads them, and the softmax runs along whole vectors.
struct PackedKeyValues {
  Vector key_slabs;    // [keys / kTileRows][dim][kTileRows]
  Vector value_slabs;  // [dim / kTileRows][keys][kTileRows]

  void Pack(const ConstMatrixRef& keys, const ConstMatrixRef& values) {
    key_slabs.resize(CeilDivide(keys.rows(), kTileRows) * kTileRows * keys.cols());
    linalg::PackRows<kTileRows>(keys, key_slabs.data());
    value_slabs.resize(CeilDivide(values.cols(), kTileRows) * kTileRows * values.rows());
    linalg::PackColumns<kTileRows>(values, value_slabs.data());
  }
};

using Lanes = Eigen::Array<float, 1, kTileColumns>;
using LaneRows = Eigen::Array<float, Eigen::Dynamic, kTileColumns, Eigen::RowMajor>;

// kTileColumns queries of one head, one in each lane. Lanes past the last query repeat it.
class QueryStrip {
 public:
  QueryStrip(const AttentionShape& shape, int64_t first, int64_t row, int64_t rows)
      : shape_(shape), position_(first + row), row_(row), rows_(rows) {
    keys_.begin = VisibleKeys(shape, position_).begin / kTileRows * kTileRows;
    keys_.end = position_ + rows;
  }

  void Attend(int64_t head, const PackedKeyValues& packed, AttentionSequence& sequence) {
    const int64_t column = head * shape_.head_dim;
    LoadQueries(sequence.queries.block(row_, column, rows_, shape_.head_dim));
    ScoreKeys(packed);
    Cap(shape_.softcap, scores_);
    const Lanes sums = Softmax();
    MixValues(packed, sequence.values.rows());
    auto output = sequence.output.block(row_, column, rows_, shape_.head_dim);
    for (int64_t lane = 0; lane < rows_; ++lane) {
      output.row(lane) = mixed_.col(lane).transpose().matrix() / sums[lane];
    }
  }

 private:
  template <typename Block>
  void LoadQueries(const Block& queries) {
    queries_.resize(shape_.head_dim, kTileColumns);
    for (int64_t lane = 0; lane < kTileColumns; ++lane) {
      queries_.col(lane) =
          queries.row(std::min(lane, rows_ - 1)).transpose().array() * shape_.ScoreScale();
    }
  }

  void ScoreKeys(const PackedKeyValues& packed) {
    scores_.setZero(keys_.size(), kTileColumns);
    for (int64_t key = keys_.begin; key < keys_.end; key += kTileRows) {
      multiply_(std::min(kTileRows, keys_.end - key), shape_.head_dim,
                packed.key_slabs.data() + key * shape_.head_dim, queries_.data(),
                scores_.row(key - keys_.begin).data(), kTileColumns);
    }
  }

  // Sets the scores that a lane's query does not see.
  void SetHidden(float value) {
    for (int64_t lane = 0; lane < kTileColumns; ++lane) {
      const KeyRange visible = VisibleKeys(shape_, position_ + std::min(lane, rows_ - 1));
      auto column = scores_.col(lane);
      column.head(visible.begin - keys_.begin).setConstant(value);
      column.tail(keys_.end - visible.end).setConstant(value);
    }
  }

  // Scores become weights that still have to be divided by their sums, which it returns.
  Lanes Softmax() {
    SetHidden(std::numeric_limits<float>::lowest());
    Lanes top = scores_.row(0);
    for (int64_t key = 1; key < scores_.rows(); ++key) top = top.max(scores_.row(key));
    for (int64_t key = 0; key < scores_.rows(); ++key) {
      scores_.row(key) = (scores_.row(key) - top).exp();
    }
    SetHidden(0.0F);
    Lanes sums = Lanes::Zero();
    for (int64_t key = 0; key < scores_.rows(); ++key) sums += scores_.row(key);
    return sums;
  }

  void MixValues(const PackedKeyValues& packed, int64_t key_count) {
    mixed_.setZero(shape_.head_dim, kTileColumns);
    for (int64_t channel = 0; channel < shape_.head_dim; channel += kTileRows) {
      multiply_(std::min(kTileRows, shape_.head_dim - channel), keys_.size(),
                packed.value_slabs.data() + channel * key_count + keys_.begin * kTileRows,
                scores_.data(), mixed_.row(channel).data(), kTileColumns);
    }
  }

  decltype(kernels::Kernels::multiply_tile) multiply_ = kernels::ActiveKernels().multiply_tile;
  const AttentionShape& shape_;
  int64_t position_;  // of the first query
  int64_t row_;
  int64_t rows_;
  KeyRange keys_;  // that any of the queries sees, from a whole slab on
  // Kept from strip to strip: their memory is not asked for again.
  static thread_local LaneRows queries_;  // [dim, lanes]
  static thread_local LaneRows scores_;   // [keys, lanes]
  static thread_local LaneRows mixed_;    // [dim, lanes]
};
thread_local LaneRows QueryStrip::queries_;
thread_local LaneRows QueryStrip::scores_;
thread_local LaneRows QueryStrip::mixed_;

void AttendFewQueries(const AttentionShape& shape, int64_t first, int64_t length,
                      std::span<AttentionSequence> sequences) {
  ParallelFor(static_cast<int64_t>(sequences.size()) * shape.heads, [&](int64_t task) {
    for (int64_t row = 0; row < length; ++row) {
      AttendQuery(shape, first, task % shape.heads, row,
                  sequences[static_cast<size_t>(task / shape.heads)]);
    }
  });
}

void AttendManyQueries(const AttentionShape& shape, int64_t first, int64_t length,
                       std::span<AttentionSequence> sequences) {
  const auto count = static_cast<int64_t>(sequences.size());
  std::vector<PackedKeyValues> packed(static_cast<size_t>(count * shape.kv_heads));
  ParallelFor(count * shape.kv_heads, [&](int64_t task) {
    const AttentionSequence& sequence = sequences[static_cast<size_t>(task / shape.kv_heads)];
    const int64_t column = task % shape.kv_heads * shape.head_dim;
    packed[static_cast<size_t>(task)].Pack(sequence.keys.middleCols(column, shape.head_dim),
                                           sequence.values.middleCols(column, shape.head_dim));
  });
  const int64_t strips = CeilDivide(length, kTileColumns);
  ParallelFor(count * shape.heads * strips, [&](int64_t task) {
    const int64_t index = task / strips / shape.heads;
    const int64_t head = task / strips % shape.heads;
    const int64_t row = task % strips * kTileColumns;
    QueryStrip strip(shape, first, row, std::min(kTileColumns, length - row));
    strip.Attend(head, packed[static_cast<size_t>(index * shape.kv_heads + KeyHead(shape, head))],
                 sequences[static_cast<size_t>(index)]);
  });
}

}  // namespace

void CausalAttention(const AttentionShape& shape, int64_t first,
                     std::span<AttentionSequence> sequences) {
  if (sequences.empty()) return;
  const int64_t length = sequences.front().queries.rows();
  if (length < kFewQueries) {
    AttendFewQueries(shape, first, length, sequences);
  } else {
    AttendManyQueries(shape, first, length, sequences);
  }
}

}  // namespace paroquant::nn
