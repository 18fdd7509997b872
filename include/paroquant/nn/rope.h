// Rotary position embedding: channel i and i + head_dim/2 of each head turn by position *
// frequency.
#ifndef PAROQUANT_NN_ROPE_H_
#define PAROQUANT_NN_ROPE_H_

#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/model/architecture.h"

namespace paroquant::nn {

// The head_dim/2 angular frequencies (radians per position) for a sequence of `length` tokens;
// only dynamic scaling depends on the length.
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

  Matrix cosine_;  // [count, head_dim/2]
  Matrix sine_;
};

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_ROPE_H_
