// One decoder block: hidden += o(attention(norm(hidden))); hidden += down(silu(gate) * up).
#ifndef PAROQUANT_NN_BLOCK_H_
#define PAROQUANT_NN_BLOCK_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/model/architecture.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/nn/attention.h"
#include "paroquant/nn/linear.h"
#include "paroquant/nn/norm.h"
#include "paroquant/nn/rope.h"

namespace paroquant::nn {

// Sequences of one length, row after row: row s * length + t is token t of sequence s, which stands
// at position first + t.
struct SequenceBatch {
  int64_t count = 1;
  int64_t length = 0;
  int64_t first = 0;
  int64_t rows() const { return count * length; }
};

// The keys and values of one block for sequences that grow token by token.
class KeyValueCache {
 public:
  KeyValueCache(int64_t sequences, int64_t capacity, int64_t width);

  // Writes the batch's rows at its positions; batch.first is what was appended before.
  void Append(const SequenceBatch& batch, ConstMatrixRef keys, ConstMatrixRef values);
  // Rows [0, length) of a sequence.
  ConstMatrixRef Keys(int64_t sequence, int64_t length) const;
  ConstMatrixRef Values(int64_t sequence, int64_t length) const;

 private:
  int64_t capacity_;
  Matrix keys_;  // [sequences * capacity, width]
  Matrix values_;
};

// What a backward pass needs of a forward pass; each [rows, channels].
struct BlockActivations {
  Matrix attention_input;        // read by q, k and v
  Matrix plain_queries;          // before the query norm; empty if the block has none
  Matrix plain_keys;             // before the key norm; likewise
  Matrix queries, keys, values;  // as attention reads them
  Matrix attended;               // read by o
  Matrix middle;                 // the residual stream between attention and MLP
  Matrix mlp_input;              // read by gate and up
  Matrix gate, up;               // what these gave
  Matrix mlp_hidden;             // read by down
};

// How a backward pass gets through a block's linears, whatever they are, and where it leaves what
// it finds there.
class LinearBackward {
 public:
  virtual ~LinearBackward() = default;
  // `output_gradient` [rows, N] is the gradient at the output of the linear that read `input`
  // [rows, K]. Sets `input_gradient` [rows, K], unless it is null, to output_gradient W.
  virtual void Backward(model::LinearRole role, ConstMatrixRef input,
                        ConstMatrixRef output_gradient, Matrix* input_gradient) = 0;
};

class Block {
 public:
  using LinearSet = std::array<std::unique_ptr<Linear>, model::kLinearRoles.size()>;

  // Reads the norms from `checkpoint`; `linears` in the order of kLinearRoles.
  Block(const model::Checkpoint& checkpoint, int64_t layer, LinearSet linears);

  const Linear& linear(model::LinearRole role) const;
  void ReplaceLinear(model::LinearRole role, std::unique_ptr<Linear> linear);

  // The whole block, in place. With a cache the batch's keys and values are appended to it and
  // attention reaches back over all of it.
  void Forward(const SequenceBatch& batch, const RopeTable& rope, MatrixRef hidden,
               KeyValueCache* cache = nullptr) const;

  // The same in steps, so that a calibration can look at what each linear reads. All are
  // [rows, channels].
  Matrix AttentionInput(ConstMatrixRef hidden) const;  // read by q, k and v
  Matrix Attend(const SequenceBatch& batch, const RopeTable& rope, ConstMatrixRef attention_input,
                KeyValueCache* cache = nullptr) const;  // read by o
  void AddAttention(ConstMatrixRef attended, MatrixRef hidden) const;
  Matrix MlpInput(ConstMatrixRef hidden) const;      // read by gate and up
  Matrix MlpHidden(ConstMatrixRef mlp_input) const;  // read by down
  void AddMlp(ConstMatrixRef mlp_hidden, MatrixRef hidden) const;

  // Forward without a cache, for a batch that starts at position 0, that keeps what Backward needs.
  void ForwardKeeping(const SequenceBatch& batch, const RopeTable& rope, MatrixRef hidden,
                      BlockActivations& kept) const;
  // From the gradient [rows, hidden] at the block's output to that at its input, in place; `input`
  // is what ForwardKeeping began with. Each linear is passed once.
  void Backward(const SequenceBatch& batch, const RopeTable& rope, ConstMatrixRef input,
                const BlockActivations& kept, LinearBackward& linears, MatrixRef gradient) const;
  // The same for the linears alone: stops before the block's input.
  void BackwardToLinears(const SequenceBatch& batch, const RopeTable& rope,
                         const BlockActivations& kept, LinearBackward& linears,
                         MatrixRef gradient) const;

 private:
  Matrix Apply(model::LinearRole role, ConstMatrixRef input) const;
  // Add the gradient that comes back through the MLP to the one that passes it by.
  void MlpBackward(const BlockActivations& kept, LinearBackward& linears, MatrixRef gradient) const;
  // From the gradient at `attended` to those at the outputs of q, k and v.
  void AttentionBackward(const SequenceBatch& batch, const RopeTable& rope,
                         const BlockActivations& kept, ConstMatrixRef attended_gradient,
                         Matrix& queries, Matrix& keys, Matrix& values) const;

  AttentionShape attention_;
  RmsNorm attention_norm_;
  RmsNorm mlp_norm_;
  std::optional<RmsNorm> query_norm_;
  std::optional<RmsNorm> key_norm_;
  LinearSet linears_;
};

// A block's linear as the checkpoint stores it in 16 or 32 bits, bias included.
std::unique_ptr<Linear> MakeDenseLinear(const model::Checkpoint& checkpoint,
                                        const model::LinearInfo& info);
// The bias of a linear, empty if it has none.
std::vector<float> ReadBias(const model::Checkpoint& checkpoint, const model::LinearInfo& info);

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_BLOCK_H_
