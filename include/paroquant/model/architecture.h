// A decoder-only transformer as data. Code that computes branches on these features, never on the
// name of a family; a family is one file in src/model/families and one row of its table.
#ifndef PAROQUANT_MODEL_ARCHITECTURE_H_
#define PAROQUANT_MODEL_ARCHITECTURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/io/json.h"

namespace paroquant::model {

enum class RopeScaling { kNone, kLinear, kDynamic, kLlama3, kYarn, kLongRope };

// Rotary position embedding (arXiv 2104.09864) and its stretchings for longer contexts.
struct RopeSettings {
  double theta = 10000.0;  // base of the frequencies
  double fraction = 1.0;   // of a head's channels that are turned: the first ones
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;
  int64_t original_max_positions = 0;  // all but linear: the context of pretraining
  double low_frequency_factor = 1.0;   // llama3
  double high_frequency_factor = 4.0;  // llama3
  double beta_fast = 32.0;             // yarn (arXiv 2309.00071)
  double beta_slow = 1.0;              // yarn
  bool truncate = true;                // yarn: whole dimensions as bounds of the ramp
  double attention_factor = 1.0;       // yarn, longrope: multiplies cosines and sines
  std::vector<double> short_factors;   // longrope (arXiv 2402.13753), each frequency's divisor:
  std::vector<double> long_factors;    // up to the context of pretraining, and beyond it
};

// Channels of a head that are turned.
int64_t RotaryChannels(const RopeSettings& rope, int64_t head_dim);

// Which rotary settings a layer's attention uses.
enum class RopeUse { kNone, kGlobal, kLocal };

// In gated MLPs: down(activation(gate) * up).
enum class Activation { kSilu, kGeluTanh };

// Channels that an RMS norm of queries and of keys runs over.
enum class QueryKeyNorm { kNone, kEachHead, kAllHeads };

// Names of a block's norms, behind the block's own; empty where it has none. Outputs are normed
// before they are added to the residual stream.
struct BlockNorms {
  std::string attention_input = "input_layernorm.weight";
  std::string attention_output;
  std::string mlp_input = "post_attention_layernorm.weight";
  std::string mlp_output;
};

// Mixtures of experts in the place of some layers' MLPs (arXiv 2101.03961): a router chooses, token
// by token, the experts with the largest logits, and weighs them by softmax.
struct ExpertSettings {
  int64_t count = 0;  // 0: no layer has any
  int64_t per_token = 0;
  int64_t intermediate_size = 0;
  bool normalized = true;      // the weights of those chosen add up to 1
  std::vector<bool> layers;    // which have them
  std::string module;          // that holds router and experts, behind the block's name
  std::string gate, up, down;  // names of an expert's linears
  // The weights of all experts lie in two tensors, experts.gate_up_proj [experts, K, 2 N], gate
  // first, and experts.down_proj [experts, K, N].
  bool stacked = false;
};

// Names that depend on what a language model is a part of.
struct TensorNames {
  std::string prefix = "model.";  // of all but the head
  std::string head = "lm_head.weight";
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

  BlockNorms norms;
  double norm_epsilon = 1e-6;
  bool norms_add_one = false;  // norms multiply by 1 + weight
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;

  bool tied_embeddings = false;  // the head is the embedding
  double embedding_multiplier = 1.0;
  double residual_multiplier = 1.0;  // of what attention and MLP add to the stream
  double logits_divisor = 1.0;
  double logits_softcap = 0.0;  // logits become c tanh(logits / c); 0: they do not

  bool qkv_bias = false;
  bool attention_output_bias = false;
  bool fused_qkv = false;          // q, k and v are one linear
  double attention_scale = 0.0;    // of q k^T; 0: 1 / sqrt(head_dim)
  double attention_softcap = 0.0;  // of scaled scores, as for logits

  Activation activation = Activation::kSilu;
  bool mlp_bias = false;
  bool fused_gate_up = false;  // gate and up are one linear
  ExpertSettings experts;

  RopeSettings rope;
  RopeSettings local_rope;         // of layers whose use is kLocal
  std::vector<RopeUse> rope_uses;  // per layer
  std::vector<int64_t> windows;  // per layer: a token sees itself and the w - 1 before it; 0 = all

  std::optional<int32_t> bos_token_id;
  std::vector<int32_t> eos_token_ids;

  TensorNames names;

  bool HasExperts(int64_t layer) const {
    return experts.count > 0 && experts.layers[static_cast<size_t>(layer)];
  }
};

// Reads config.json in either style ("torch_dtype"/"rope_theta"/"rope_scaling" or
// "dtype"/"rope_parameters"/"layer_types"). A model of several parts keeps the settings of its
// language model under "text_config". `where` names the file in errors. Throws kUnsupported for a
// model_type or feature that is not handled (naming those that are), kInput for numbers that make
// no sense.
Architecture ParseArchitecture(const io::Json& config, const std::string& where);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_ARCHITECTURE_H_
