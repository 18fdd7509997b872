// With p = softmax(f q k^T), o = p v, and a gradient do at the output:
//   dv = p^T do,  dp = do v^T,  ds = p * (dp - rowsum(dp * p)),
//   dq = f ds k,  dk = f ds^T q.
// Scores capped to s = c tanh(f q k^T / c) put the factor 1 - (s / c)^2 to ds.
#include <algorithm>
#include <cassert>

#include "paroquant/base/parallel.h"
#include "paroquant/nn/attention.h"

namespace paroquant::nn {
namespace {

constexpr int64_t kQueriesPerTile = 64;

int64_t FirstVisibleKey(const AttentionShape& shape, int64_t position) {
  return shape.window > 0 ? std::max<int64_t>(0, position - shape.window + 1) : 0;
}

// Scores of queries that stand at positions row, row + 1, ... over keys that start at `begin`
// become probabilities.
void CausalSoftmax(const AttentionShape& shape, int64_t row, int64_t begin, Matrix& scores) {
  for (int64_t i = 0; i < scores.rows(); ++i) {
    const int64_t first = FirstVisibleKey(shape, row + i) - begin;
    const int64_t end = row + i + 1 - begin;
    auto visible = scores.row(i).segment(first, end - first).array();
    visible = (visible - visible.maxCoeff()).exp();
    visible /= visible.sum();
    scores.row(i).head(first).setZero();
    scores.row(i).tail(scores.cols() - end).setZero();
  }
}

void CapScores(float softcap, Matrix& scores, Matrix& slope) {
  scores = (scores.array() / softcap).tanh();
  slope = 1.0F - scores.array().square();
  scores *= softcap;
}

// A tile of queries of one head, [row, row + rows).
void TileBackward(const AttentionShape& shape, int64_t head, int64_t row, int64_t rows,
                  const AttentionSequence& sequence, AttentionGradients& gradients) {
  const int64_t dim = shape.head_dim;
  const int64_t column = head * dim;
  const int64_t kv_column = head / (shape.heads / shape.kv_heads) * dim;
  const int64_t begin = FirstVisibleKey(shape, row);
  const int64_t count = row + rows - begin;
  const float factor = shape.ScoreScale();
  const auto queries = sequence.queries.block(row, column, rows, dim);
  const auto keys = sequence.keys.block(begin, kv_column, count, dim);
  const auto values = sequence.values.block(begin, kv_column, count, dim);
  const auto output = gradients.output.block(row, column, rows, dim);

  thread_local Matrix scores;
  thread_local Matrix change;  // dp, then ds
  thread_local Matrix slope;   // of the cap, if there is one
  scores.noalias() = queries * keys.transpose();
  scores *= factor;
  if (shape.softcap > 0.0F) CapScores(shape.softcap, scores, slope);
  CausalSoftmax(shape, row, begin, scores);
  gradients.values.block(begin, kv_column, count, dim).noalias() += scores.transpose() * output;
  change.noalias() = output * values.transpose();
  for (int64_t i = 0; i < rows; ++i) {
    const float mean = change.row(i).dot(scores.row(i));
    change.row(i).array() = (change.row(i).array() - mean) * scores.row(i).array() * factor;
  }
  if (shape.softcap > 0.0F) change.array() *= slope.array();
  gradients.queries.block(row, column, rows, dim).noalias() = change * keys;
  gradients.keys.block(begin, kv_column, count, dim).noalias() += change.transpose() * queries;
}

}  // namespace

void CausalAttentionBackward(const AttentionShape& shape,
                             std::span<const AttentionSequence> sequences,
                             std::span<AttentionGradients> gradients) {
  assert(sequences.size() == gradients.size());
  const int64_t per_group = shape.heads / shape.kv_heads;
  // All that adds to a key/value head's gradient is one item of work, so sums have one order.
  ParallelFor(static_cast<int64_t>(sequences.size()) * shape.kv_heads, [&](int64_t task) {
    const AttentionSequence& sequence = sequences[static_cast<size_t>(task / shape.kv_heads)];
    AttentionGradients& gradient = gradients[static_cast<size_t>(task / shape.kv_heads)];
    const int64_t group = task % shape.kv_heads;
    gradient.keys.middleCols(group * shape.head_dim, shape.head_dim).setZero();
    gradient.values.middleCols(group * shape.head_dim, shape.head_dim).setZero();
    const int64_t length = sequence.queries.rows();
    for (int64_t head = group * per_group; head < (group + 1) * per_group; ++head) {
      for (int64_t row = 0; row < length; row += kQueriesPerTile) {
        TileBackward(shape, head, row, std::min(kQueriesPerTile, length - row), sequence, gradient);
      }
    }
  });
}

}  // namespace paroquant::nn
