// One decoder block: hidden += o(attention(norm(hidden))); hidden += mlp(norm(hidden)), where
// mlp(x) is down(activation(gate(x)) * up(x)) or a mixture of several of that kind. Families differ
// in where they have norms and in some factors.
#ifndef PAROQUANT_NN_BLOCK_H_
#define PAROQUANT_NN_BLOCK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/model/architecture.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/tensors.h"
#include "paroquant/nn/attention.h"
#include "paroquant/nn/linear.h"
#include "paroquant/nn/norm.h"
#include "paroquant/nn/rope.h"
#include "paroquant/nn/router.h"

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

// What a backward pass needs of an MLP's forward pass; each [rows, channels]. Of an expert only
// its own rows.
struct MlpActivations {
  Matrix gate, up;  // what these gave
  Matrix hidden;    // read by down: an expert's are already multiplied by its weights
};

// What a backward pass needs of a forward pass; each [rows, channels].
struct BlockActivations {
  Matrix attention_input;        // read by q, k and v
  Matrix plain_queries;          // before the query norm; empty if the block has none
  Matrix plain_keys;             // before the key norm; likewise
  Matrix queries, keys, values;  // as attention reads them
  Matrix attended;               // read by o
  Matrix attention_output;       // before its norm; empty if the block has none
  Matrix middle;                 // the residual stream between attention and MLP
  Matrix mlp_input;              // read by gate and up
  Routing routing;               // of experts, if there are any
  std::vector<MlpActivations> mlps;
  Matrix mlp_output;  // before its norm; empty if the block has none
};

// How a backward pass gets through a block's linears, whatever they are, and where it leaves what
// it finds there.
class LinearBackward {
 public:
  virtual ~LinearBackward() = default;
  // `output_gradient` [rows, N] is the gradient at the output of the linear that read `input`
  // [rows, K]; `linear` is its place in model::DescribeLinears. Sets `input_gradient` [rows, K],
  // unless it is null, to output_gradient W.
  virtual void Backward(size_t linear, ConstMatrixRef input, ConstMatrixRef output_gradient,
                        Matrix* input_gradient) = 0;
};

class Block {
 public:
  using LinearSet = std::vector<std::unique_ptr<Linear>>;

  // Reads norms and router from `checkpoint`; `linears` in the order of model::DescribeLinears.
  Block(const model::Checkpoint& checkpoint, int64_t layer, LinearSet linears);

  const Linear& linear(size_t index) const { return *linears_[index]; }
  void ReplaceLinear(size_t index, std::unique_ptr<Linear> linear);

  // The whole block, in place. With a cache the batch's keys and values are appended to it and
  // attention reaches back over all of it.
  void Forward(const SequenceBatch& batch, const RopeTables& rope, MatrixRef hidden,
               KeyValueCache* cache = nullptr) const;

  // The same in steps, so that a calibration can look at what each linear reads. All are
  // [rows, channels].
  Matrix AttentionInput(ConstMatrixRef hidden) const;  // read by q, k and v
  Matrix Attend(const SequenceBatch& batch, const RopeTables& rope, ConstMatrixRef attention_input,
                KeyValueCache* cache = nullptr) const;  // read by o
  void AddAttention(ConstMatrixRef attended, MatrixRef hidden) const;
  Matrix MlpInput(ConstMatrixRef hidden) const;  // read by gate and up
  // Read by down: of the block's MLP or, for any rows, of one of its experts.
  Matrix MlpHidden(ConstMatrixRef mlp_input, size_t mlp = 0) const;
  void AddMlp(ConstMatrixRef mlp_hidden, MatrixRef hidden) const;  // not for experts

  // For experts: where the rows go, what down reads of an expert's share, and the sum of all.
  bool has_experts() const { return router_.has_value(); }
  Routing Route(ConstMatrixRef mlp_input) const { return router_->Route(mlp_input); }
  Matrix ExpertHidden(ConstMatrixRef mlp_input, const ExpertShare& share, size_t expert) const;
  void AddExperts(ConstMatrixRef mlp_input, const Routing& routing, MatrixRef hidden) const;

  // What the outputs of o and down are multiplied by on their way to the stream; 0 if a norm lies
  // between, so that they are not simply added.
  float attention_output_factor() const { return attention_output_norm_ ? 0.0F : residual_; }
  float mlp_output_factor() const { return mlp_output_norm_ ? 0.0F : residual_; }

  // Forward without a cache, for a batch that starts at position 0, that keeps what Backward needs.
  void ForwardKeeping(const SequenceBatch& batch, const RopeTables& rope, MatrixRef hidden,
                      BlockActivations& kept) const;
  // From the gradient [rows, hidden] at the block's output to that at its input, in place; `input`
  // is what ForwardKeeping began with. Each linear is passed once, but for experts without rows.
  void Backward(const SequenceBatch& batch, const RopeTables& rope, ConstMatrixRef input,
                const BlockActivations& kept, LinearBackward& linears, MatrixRef gradient) const;
  // The same for the linears alone: stops before the block's input.
  void BackwardToLinears(const SequenceBatch& batch, const RopeTables& rope,
                         const BlockActivations& kept, LinearBackward& linears,
                         MatrixRef gradient) const;

 private:
  struct Projections {
    Matrix queries, keys, values;
  };

  Matrix Apply(size_t index, ConstMatrixRef input) const;
  Projections Project(ConstMatrixRef attention_input) const;
  void ApplyRope(const SequenceBatch& batch, const RopeTables& rope, Matrix& rows) const;
  MlpActivations RunMlp(ConstMatrixRef mlp_input, size_t mlp) const;
  MlpActivations RunExpert(ConstMatrixRef mlp_input, const ExpertShare& share, size_t expert) const;
  // The sum of the experts' outputs; `kept`, if it is not null, has an entry for each of them.
  Matrix Mixture(ConstMatrixRef mlp_input, const Routing& routing,
                 std::vector<MlpActivations>* kept = nullptr) const;
  void AddOutput(Matrix output, const std::optional<RmsNorm>& norm, MatrixRef hidden) const;

  // From the gradient at the stream to that at an output that was added to it.
  Matrix OutputGradient(const std::optional<RmsNorm>& norm, const Matrix& output,
                        ConstMatrixRef gradient) const;
  // Add the gradient that comes back through the MLP to the one that passes it by.
  void MlpBackward(const BlockActivations& kept, LinearBackward& linears, MatrixRef gradient) const;
  // From the gradient at what gate and up gave, multiplied, to that at what they read.
  Matrix GateBackward(size_t mlp, const MlpActivations& kept, ConstMatrixRef mlp_input,
                      LinearBackward& linears, Matrix product_gradient) const;
  Matrix MixtureBackward(const BlockActivations& kept, LinearBackward& linears,
                         const Matrix& gradient) const;
  // From the gradient at `attended` to those at the outputs of q, k and v.
  Projections AttentionBackward(const SequenceBatch& batch, const RopeTables& rope,
                                const BlockActivations& kept,
                                ConstMatrixRef attended_gradient) const;
  // Passes q, k and v; the sum of the gradients at what they read if `sum` is not null.
  void ProjectBackward(const BlockActivations& kept, const Projections& gradients,
                       LinearBackward& linears, Matrix* sum) const;
  // The part of Backward behind the projections.
  Projections BackwardToProjections(const SequenceBatch& batch, const RopeTables& rope,
                                    const BlockActivations& kept, LinearBackward& linears,
                                    MatrixRef gradient) const;

  AttentionShape attention_;
  model::RopeUse rope_use_;
  model::Activation activation_;
  float residual_;  // what is multiplied to all that is added to the stream
  std::optional<RmsNorm> attention_norm_;
  std::optional<RmsNorm> attention_output_norm_;
  std::optional<RmsNorm> mlp_norm_;
  std::optional<RmsNorm> mlp_output_norm_;
  std::optional<RmsNorm> query_norm_;
  std::optional<RmsNorm> key_norm_;
  std::optional<Router> router_;
  std::vector<model::LinearStage> stages_;  // q k v, o, then gate up and down of each MLP
  LinearSet linears_;
};

// A block's linear as the checkpoint stores it in 16 or 32 bits, bias included.
std::unique_ptr<Linear> MakeDenseLinear(const model::Checkpoint& checkpoint,
                                        const model::LinearInfo& info);
// An RMS norm [width] as the checkpoint's family means it.
RmsNorm ReadNorm(const model::Checkpoint& checkpoint, const std::string& name, int64_t width);
// The bias of a linear, empty if it has none.
std::vector<float> ReadBias(const model::Checkpoint& checkpoint, const model::LinearInfo& info);

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_BLOCK_H_
