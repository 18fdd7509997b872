// A decoder-only transformer as data. Code that computes branches on these features, never on the
// name of a family; a family is one file in src/model/families and one row of its table.
#ifndef PAROQUANT_MODEL_ARCHITECTURE_H_
#define PAROQUANT_MODEL_ARCHITECTURE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/io/json.h"

namespace paroquant::model {

enum class RopeScaling { kNone, kLinear, kDynamic, kLlama3, kYarn };

// Rotary position embedding (arXiv 2104.09864) and its stretchings for longer contexts.
struct RopeSettings {
  double theta = 10000.0;  // base of the frequencies
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;
  int64_t original_max_positions = 0;  // dynamic, llama3, yarn: the context of pretraining
  double low_frequency_factor = 1.0;   // llama3
  double high_frequency_factor = 4.0;  // llama3
  double beta_fast = 32.0;             // yarn (arXiv 2309.00071)
  double beta_slow = 1.0;              // yarn
  bool truncate = true;                // yarn: whole dimensions as bounds of the ramp
  double attention_factor = 1.0;       // yarn: multiplies cosines and sines
};

struct Architecture {
  std::string model_type;

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t max_positions = 0;

  double norm_epsilon = 1e-6;
  bool tied_embeddings = false;  // the head is the embedding
  bool query_key_norm = false;   // RMS norm of each head's queries and keys
  bool qkv_bias = false;
  bool attention_output_bias = false;
  bool mlp_bias = false;

  RopeSettings rope;
  std::vector<int64_t> windows;  // per layer: a token sees itself and the w - 1 before it; 0 = all

  std::optional<int32_t> bos_token_id;
  std::vector<int32_t> eos_token_ids;
};

// Reads config.json in either style ("torch_dtype"/"rope_theta"/"rope_scaling" or
// "dtype"/"rope_parameters"/"layer_types"). `where` names the file in errors. Throws kUnsupported
// for a model_type or feature that is not handled (naming those that are), kInput for numbers that
// make no sense.
Architecture ParseArchitecture(const io::Json& config, const std::string& where);

// The linear layers of a block, in the order in which a forward pass reaches them.
enum class LinearRole { kQuery, kKey, kValue, kAttentionOutput, kGate, kUp, kDown };
inline constexpr std::array kLinearRoles = {
    LinearRole::kQuery, LinearRole::kKey, LinearRole::kValue, LinearRole::kAttentionOutput,
    LinearRole::kGate,  LinearRole::kUp,  LinearRole::kDown};

struct LinearInfo {
  std::string name;  // of the module: tensors are name + ".weight" and so on
  int64_t out_features = 0;
  int64_t in_features = 0;
  bool bias = false;
};
LinearInfo DescribeLinear(const Architecture& architecture, int64_t layer, LinearRole role);

// Names of the tensors that are no linear of a block.
std::string EmbeddingName();                // [vocab, hidden]
std::string FinalNormName();                // [hidden]
std::string HeadName(const Architecture&);  // [vocab, hidden]; the embedding if tied
std::string BlockTensorName(int64_t layer, const std::string& suffix);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_ARCHITECTURE_H_
