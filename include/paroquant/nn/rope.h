// Rotary position embedding: of the first d channels of each head (all of them, in most models)
// channel i and i + d/2 turn by position * frequency.
#ifndef PAROQUANT_NN_ROPE_H_
#define PAROQUANT_NN_ROPE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/model/architecture.h"

namespace paroquant::nn {

// The d/2 angular frequencies (radians per position) for a sequence of `length` tokens;
// only dynamic and longrope scaling depend on the length.
std::vector<double> RopeFrequencies(const model::RopeSettings& rope, int64_t head_dim,
                                    int64_t length);

// Cosines and sines of positions [first, first + count).
class RopeTable {
 public:
  RopeTable(const model::RopeSettings& rope, int64_t head_dim, int64_t first, int64_t count);

  // Rotates `rows` [T, heads * head_dim] in place; row t stands at position first + t, T <= count.
  void Apply(MatrixRef rows) const;
  // The transpose of Apply: from the gradient at its output to that at its input, in place.
  void ApplyTransposed(MatrixRef rows) const;

 private:
  // Turns by the table's angles, or back.
  void Turn(MatrixRef rows, float direction) const;

  int64_t head_dim_;
  Matrix cosine_;  // [count, d/2]
  Matrix sine_;
};

// The tables of all layers of a model.
class RopeTables {
 public:
  RopeTables(const model::Architecture& architecture, int64_t first, int64_t count);

  // Null for layers that do not encode positions.
  const RopeTable* Of(model::RopeUse use) const;

 private:
  RopeTable global_;
  std::optional<RopeTable> local_;
};

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_ROPE_H_
