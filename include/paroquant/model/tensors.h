// The tensors of a decoder-only transformer: what they are called, what shape they have, and what
// the linear layers among them do.
#ifndef PAROQUANT_MODEL_TENSORS_H_
#define PAROQUANT_MODEL_TENSORS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "paroquant/model/architecture.h"

namespace paroquant::model {

// What a linear layer of a block gives. kQueryKeyValue and kGateUp stand for several of the others
// whose rows lie in one weight, in this order.
enum class LinearRole {
  kQuery,
  kKey,
  kValue,
  kQueryKeyValue,
  kAttentionOutput,
  kGate,
  kUp,
  kGateUp,
  kDown
};

// What a linear layer of a block reads.
enum class LinearInput { kAttentionInput, kAttended, kMlpInput, kMlpHidden };
LinearInput InputOf(LinearRole role);

// Where in a bigger tensor a weight lies: channel k's N entries begin at element first + k *
// stride.
struct StackedWeight {
  std::string tensor;
  std::vector<int64_t> shape;  // of that tensor
  int64_t first = 0;
  int64_t stride = 0;
};

struct LinearInfo {
  std::string name;  // of the module: tensors are name + ".weight" and so on
  int64_t out_features = 0;
  int64_t in_features = 0;
  bool bias = false;
  LinearRole role = LinearRole::kQuery;
  int64_t expert = -1;                                  // that the linear is a part of; -1: of none
  std::optional<StackedWeight> stacked = std::nullopt;  // else the weight is a tensor of its own

  // Of the tensor that holds the 16-bit weight.
  std::string WeightName() const { return stacked ? stacked->tensor : name + ".weight"; }
};

// The linear layers of a block in the order in which a forward pass reaches them, expert by expert.
// A layer's place in this list stands for it wherever a block is at work.
std::vector<LinearInfo> DescribeLinears(const Architecture& architecture, int64_t layer);

// Linears that read the same input: entries [first, first + count) of such a list.
struct LinearStage {
  size_t first = 0;
  size_t count = 0;
  LinearInput input = LinearInput::kAttentionInput;
  int64_t expert = -1;

  size_t end() const { return first + count; }
};
std::vector<LinearStage> LinearStages(std::span<const LinearInfo> linears);

struct TensorInfo {
  std::string name;
  std::vector<int64_t> shape;
};
// All that are no linear of a block: embedding, norms, routers and, unless it is tied, the head.
std::vector<TensorInfo> DescribeOtherTensors(const Architecture& architecture);

std::string EmbeddingName(const Architecture& architecture);  // [vocab, hidden]
std::string FinalNormName(const Architecture& architecture);  // [hidden]
std::string HeadName(const Architecture& architecture);  // [vocab, hidden]; tied: the embedding
std::string RouterName(const Architecture& architecture, int64_t layer);  // [experts, hidden]
// Of block `layer`; `suffix` stands behind the block's name.
std::string BlockTensorName(const Architecture& architecture, int64_t layer,
                            const std::string& suffix);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_TENSORS_H_
