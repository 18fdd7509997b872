#include "paroquant/nn/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "paroquant/base/parallel.h"
#include "tests/quant/fixtures.h"

namespace paroquant::nn {
namespace {

using quant::testing::RandomMatrix;

// The definition, one head and one query after another, in doubles.
Matrix AttentionByDefinition(const AttentionShape& shape, int64_t first, const Matrix& queries,
                             const Matrix& keys, const Matrix& values) {
  Matrix output(queries.rows(), queries.cols());
  for (int64_t head = 0; head < shape.heads; ++head) {
    const int64_t kv_head = head * shape.kv_heads / shape.heads;
    for (int64_t t = 0; t < queries.rows(); ++t) {
      const int64_t position = first + t;
      std::vector<double> weights;
      std::vector<int64_t> seen;
      for (int64_t key = 0; key <= position; ++key) {
        if (shape.window > 0 && key + shape.window <= position) continue;
        double product = 0;
        for (int64_t i = 0; i < shape.head_dim; ++i) {
          product += static_cast<double>(queries(t, head * shape.head_dim + i)) *
                     static_cast<double>(keys(key, kv_head * shape.head_dim + i));
        }
        seen.push_back(key);
        double score = product * (shape.scale > 0 ? static_cast<double>(shape.scale)
                                                  : 1 / std::sqrt(shape.head_dim));
        if (shape.softcap > 0) score = shape.softcap * std::tanh(score / shape.softcap);
        weights.push_back(score);
      }
      const double top = *std::max_element(weights.begin(), weights.end());
      double sum = 0;
      for (double& weight : weights) sum += weight = std::exp(weight - top);
      for (int64_t i = 0; i < shape.head_dim; ++i) {
        double value = 0;
        for (size_t k = 0; k < seen.size(); ++k) {
          value += weights[k] / sum * values(seen[k], kv_head * shape.head_dim + i);
        }
        output(t, head * shape.head_dim + i) = static_cast<float>(value);
      }
    }
  }
  return output;
}

// `sequences` sequences of `length` queries that stand behind `first` cached tokens.
struct AttentionCase {
  AttentionShape shape;
  int64_t first;
  int64_t length;
  int64_t sequences = 1;
};

struct Inputs {
  Matrix queries;
  Matrix keys;
  Matrix values;
};

Inputs RandomInputs(const AttentionCase& c, uint64_t seed) {
  const int64_t width = c.shape.kv_heads * c.shape.head_dim;
  return {RandomMatrix(c.length, c.shape.heads * c.shape.head_dim, seed),
          RandomMatrix(c.first + c.length, width, seed + 1),
          RandomMatrix(c.first + c.length, width, seed + 2)};
}

Matrix Attend(const AttentionCase& c, const Inputs& inputs) {
  Matrix output = Matrix::Constant(inputs.queries.rows(), inputs.queries.cols(), NAN);
  std::vector<AttentionSequence> sequences = {{inputs.queries, inputs.keys, inputs.values, output}};
  CausalAttention(c.shape, c.first, sequences);
  return output;
}

class AttentionTest : public ::testing::TestWithParam<AttentionCase> {};

// One token; whole tiles of queries and rests; grouped heads; windows that are shorter than a tile,
// span several and exceed the sequence; starts at a cache's end; other scales and capped scores,
// of many queries and of few.
INSTANTIATE_TEST_SUITE_P(
    Shapes, AttentionTest,
    ::testing::Values(AttentionCase{{1, 1, 4, 0}, 0, 1}, AttentionCase{{4, 4, 8, 0}, 0, 64},
                      AttentionCase{{4, 2, 8, 0}, 0, 70}, AttentionCase{{6, 1, 16, 0}, 0, 131},
                      AttentionCase{{6, 2, 16, 5}, 0, 130}, AttentionCase{{4, 2, 8, 1}, 0, 67},
                      AttentionCase{{2, 1, 8, 100}, 0, 300}, AttentionCase{{2, 2, 8, 500}, 0, 80},
                      AttentionCase{{4, 1, 8, 0}, 37, 3}, AttentionCase{{4, 2, 8, 0}, 200, 1},
                      AttentionCase{{4, 4, 8, 7}, 100, 66}, AttentionCase{{4, 2, 8, 64}, 64, 65},
                      AttentionCase{{4, 2, 8, 9}, 3, 20, 5},
                      AttentionCase{{4, 2, 8, 0, 1.5F}, 0, 70},
                      AttentionCase{{4, 2, 8, 9, 1.5F, 0.7F}, 3, 20, 2},
                      AttentionCase{{4, 2, 8, 0, 0.0F, 0.5F}, 37, 3}));

TEST_P(AttentionTest, AgreesWithTheDefinition) {
  const AttentionCase& c = GetParam();
  std::vector<Inputs> inputs;
  for (int64_t s = 0; s < c.sequences; ++s) {
    inputs.push_back(RandomInputs(c, static_cast<uint64_t>(10 * s)));
  }
  std::vector<Matrix> outputs(inputs.size());
  std::vector<AttentionSequence> sequences;
  for (size_t s = 0; s < inputs.size(); ++s) {
    outputs[s].setConstant(c.length, c.shape.heads * c.shape.head_dim, NAN);
    sequences.push_back({inputs[s].queries, inputs[s].keys, inputs[s].values, outputs[s]});
  }
  CausalAttention(c.shape, c.first, sequences);
  for (size_t s = 0; s < inputs.size(); ++s) {
    const Matrix expected = AttentionByDefinition(c.shape, c.first, inputs[s].queries,
                                                  inputs[s].keys, inputs[s].values);
    EXPECT_LE((outputs[s] - expected).cwiseAbs().maxCoeff(), 3e-6F) << "sequence " << s;
  }
}

TEST_P(AttentionTest, ThreadCountChangesNoBit) {
  const Inputs inputs = RandomInputs(GetParam(), 1);
  const auto attend = [&](int threads) {
    SetThreadCount(threads);
    const Matrix output = Attend(GetParam(), inputs);
    SetThreadCount(AvailableCores());
    return output;
  };
  EXPECT_TRUE(attend(1) == attend(3));
}

TEST(AttentionTest, NoTokenSeesALaterOneOrOneBeforeItsWindow) {
  const AttentionCase c{{2, 1, 8, 10}, 0, 90};
  const Inputs inputs = RandomInputs(c, 1);
  const Matrix output = Attend(c, inputs);
  Inputs changed = inputs;
  changed.keys.row(40) *= -3;
  changed.values.row(40) *= -3;
  const Matrix difference = (Attend(c, changed) - output).cwiseAbs();
  for (int64_t t = 0; t < c.length; ++t) {
    const bool sees_it = t >= 40 && t < 50;
    if (sees_it) {
      EXPECT_GT(difference.row(t).maxCoeff(), 1e-4F) << t;
    } else {
      EXPECT_EQ(difference.row(t).maxCoeff(), 0.0F) << t;
    }
  }
}

TEST(AttentionTest, HugeScoresDoNotOverflow) {
  const AttentionCase c{{2, 2, 8, 0}, 0, 20};
  Inputs inputs = RandomInputs(c, 1);
  inputs.queries *= 1e4F;
  inputs.keys *= 1e4F;
  const Matrix expected =
      AttentionByDefinition(c.shape, 0, inputs.queries, inputs.keys, inputs.values);
  EXPECT_TRUE(Attend(c, inputs).isApprox(expected, 1e-6F));  // each token takes one value
}

TEST(AttentionTest, NothingToDoIsDone) {
  std::vector<AttentionSequence> none;
  CausalAttention({.heads = 1, .kv_heads = 1, .head_dim = 2}, 0, none);
}

}  // namespace
}  // namespace paroquant::nn
