// The linear layer as the rest of the network sees it, and its plain 16-bit form.
#ifndef PAROQUANT_NN_LINEAR_H_
#define PAROQUANT_NN_LINEAR_H_

#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/model/weight_view.h"

namespace paroquant::nn {

class Linear {
 public:
  virtual ~Linear() = default;
  virtual int64_t out_features() const = 0;  // N
  virtual int64_t in_features() const = 0;   // K
  // output [T, N] = input [T, K] W^T + bias. Threaded; may be called from inside a ParallelFor.
  virtual void Forward(ConstMatrixRef input, MatrixRef output) const = 0;
};

// A weight [N, K] of 16- or 32-bit floats that stays where it is (mapped memory must outlive this)
// and is widened to float32 panel by panel as it is multiplied.
class DenseLinear : public Linear {
 public:
  // `bias` has N entries or none.
  DenseLinear(const model::WeightView& weight, std::vector<float> bias);

  int64_t out_features() const override { return weight_.rows; }
  int64_t in_features() const override { return weight_.columns; }
  void Forward(ConstMatrixRef input, MatrixRef output) const override;

 private:
  void ForwardFew(ConstMatrixRef input, MatrixRef output) const;

  model::WeightView weight_;
  std::vector<float> bias_;
};

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_LINEAR_H_
