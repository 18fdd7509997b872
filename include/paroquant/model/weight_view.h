// The 16- or 32-bit weight of a linear layer, wherever it lies.
#ifndef PAROQUANT_MODEL_WEIGHT_VIEW_H_
#define PAROQUANT_MODEL_WEIGHT_VIEW_H_

#include <cstdint>

#include "paroquant/base/matrix.h"
#include "paroquant/io/safetensors.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/tensors.h"

namespace paroquant::model {

// A weight [N, K] in a mapped tensor, which must outlive this: row by row, or channel by channel if
// it is `channel_major`.
struct WeightView {
  io::TensorView tensor;
  int64_t rows = 0;     // N
  int64_t columns = 0;  // K
  bool channel_major = false;
  int64_t first = 0;   // element that the weight begins with
  int64_t stride = 0;  // elements from a row, or a channel, to the next

  // Entries [row, row + block.rows()) x [column, column + block.cols()) as float32.
  void Read(int64_t row, int64_t column, MatrixRef block) const;
};

// Of a tensor [N, K] that is a weight and nothing else.
WeightView PlainWeight(const io::TensorView& tensor);
// Throws kInput if it is not there or has another shape.
WeightView FindWeight(const Checkpoint& checkpoint, const LinearInfo& info);
// All of it, [N, K].
Matrix ReadWeight(const Checkpoint& checkpoint, const LinearInfo& info);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_WEIGHT_VIEW_H_
