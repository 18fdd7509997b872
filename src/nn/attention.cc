#include "paroquant/nn/attention.h"

#include <algorithm>
#include <cmath>

#include "paroquant/base/parallel.h"

namespace paroquant::nn {
namespace {

constexpr int64_t kQueriesPerTile = 64;

// Keys [begin, end) that a query at `position` sees.
struct KeyRange {
  int64_t begin;
  int64_t end;
};
KeyRange VisibleKeys(const AttentionShape& shape, int64_t position) {
  const int64_t begin = shape.window > 0 ? std::max<int64_t>(0, position - shape.window + 1) : 0;
  return {begin, position + 1};
}

// Turns a row of scores over keys [0, size) into probabilities; those outside `visible` become 0.
template <typename Row>
void Softmax(Row row, KeyRange visible) {
  auto scores = row.segment(visible.begin, visible.end - visible.begin).array();
  scores = (scores - scores.maxCoeff()).exp();
  scores /= scores.sum();
  row.head(visible.begin).setZero();
  row.tail(row.size() - visible.end).setZero();
}

// One head's queries [row, row + rows).
void AttendTile(const AttentionShape& shape, int64_t first, int64_t head, int64_t row, int64_t rows,
                AttentionSequence& sequence) {
  const int64_t dim = shape.head_dim;
  const int64_t column = head * dim;
  const int64_t kv_column = head / (shape.heads / shape.kv_heads) * dim;
  // What any query of the tile sees: from the first one's begin to the last one's end.
  const int64_t begin = VisibleKeys(shape, first + row).begin;
  const int64_t count = first + row + rows - begin;

  thread_local Matrix scores;
  scores.noalias() = sequence.queries.block(row, column, rows, dim) *
                     sequence.keys.block(begin, kv_column, count, dim).transpose();
  scores *= 1.0F / std::sqrt(static_cast<float>(dim));
  for (int64_t i = 0; i < rows; ++i) {
    const KeyRange visible = VisibleKeys(shape, first + row + i);
    Softmax(scores.row(i), {visible.begin - begin, visible.end - begin});
  }
  sequence.output.block(row, column, rows, dim).noalias() =
      scores * sequence.values.block(begin, kv_column, count, dim);
}

}  // namespace

void CausalAttention(const AttentionShape& shape, int64_t first,
                     std::span<AttentionSequence> sequences) {
  if (sequences.empty()) return;
  const int64_t length = sequences.front().queries.rows();
  const int64_t tiles = (length + kQueriesPerTile - 1) / kQueriesPerTile;
  const int64_t tasks_per_sequence = shape.heads * tiles;
  const auto count = static_cast<int64_t>(sequences.size());
  ParallelFor(count * tasks_per_sequence, [&](int64_t task) {
    const int64_t head = task % tasks_per_sequence / tiles;
    const int64_t row = task % tiles * kQueriesPerTile;
    AttendTile(shape, first, head, row, std::min(kQueriesPerTile, length - row),
               sequences[static_cast<size_t>(task / tasks_per_sequence)]);
  });
}

}  // namespace paroquant::nn
