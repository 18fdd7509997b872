#include "paroquant/model/tensors.h"

#include <fmt/format.h>

namespace paroquant::model {
namespace {

// Lists a block's linears one after the other.
class LinearList {
 public:
  LinearList(const Architecture& architecture, int64_t layer)
      : architecture_(architecture), layer_(layer) {}

  void AddAttention() {
    const Architecture& a = architecture_;
    const int64_t query = a.heads * a.head_dim;
    const int64_t key_value = a.kv_heads * a.head_dim;
    if (a.fused_qkv) {
      Add("self_attn.qkv_proj", LinearRole::kQueryKeyValue, query + 2 * key_value, a.hidden_size,
          a.qkv_bias);
    } else {
      Add("self_attn.q_proj", LinearRole::kQuery, query, a.hidden_size, a.qkv_bias);
      Add("self_attn.k_proj", LinearRole::kKey, key_value, a.hidden_size, a.qkv_bias);
      Add("self_attn.v_proj", LinearRole::kValue, key_value, a.hidden_size, a.qkv_bias);
    }
    Add("self_attn.o_proj", LinearRole::kAttentionOutput, a.hidden_size, query,
        a.attention_output_bias);
  }

  void AddMlp() {
    const Architecture& a = architecture_;
    const int64_t mlp = a.intermediate_size;
    if (a.fused_gate_up) {
      Add("mlp.gate_up_proj", LinearRole::kGateUp, 2 * mlp, a.hidden_size, a.mlp_bias);
    } else {
      Add("mlp.gate_proj", LinearRole::kGate, mlp, a.hidden_size, a.mlp_bias);
      Add("mlp.up_proj", LinearRole::kUp, mlp, a.hidden_size, a.mlp_bias);
    }
    Add("mlp.down_proj", LinearRole::kDown, a.hidden_size, mlp, a.mlp_bias);
  }

  void AddExpert(int64_t expert) {
    const ExpertSettings& e = architecture_.experts;
    const int64_t hidden = architecture_.hidden_size;
    const auto name = [&](const std::string& linear) {
      return fmt::format("{}.experts.{}.{}", e.module, expert, linear);
    };
    Add(name(e.gate), LinearRole::kGate, e.intermediate_size, hidden, false, expert);
    Add(name(e.up), LinearRole::kUp, e.intermediate_size, hidden, false, expert);
    Add(name(e.down), LinearRole::kDown, hidden, e.intermediate_size, false, expert);
    if (!e.stacked) return;
    const int64_t width = e.intermediate_size;
    LinearInfo* linears = &linears_[linears_.size() - 3];
    linears[0].stacked = Stacked("gate_up_proj", hidden, 2 * width, expert);
    linears[1].stacked = Stacked("gate_up_proj", hidden, 2 * width, expert);
    linears[1].stacked->first += width;
    linears[2].stacked = Stacked("down_proj", width, hidden, expert);
  }

  std::vector<LinearInfo> Take() { return std::move(linears_); }

 private:
  // [K, columns] of an expert in a tensor of all of them.
  StackedWeight Stacked(const std::string& tensor, int64_t channels, int64_t columns,
                        int64_t expert) const {
    const ExpertSettings& e = architecture_.experts;
    return {.tensor = BlockTensorName(architecture_, layer_, e.module + ".experts." + tensor),
            .shape = {e.count, channels, columns},
            .first = expert * channels * columns,
            .stride = columns};
  }

  void Add(const std::string& suffix, LinearRole role, int64_t out, int64_t in, bool bias,
           int64_t expert = -1) {
    linears_.push_back(
        {BlockTensorName(architecture_, layer_, suffix), out, in, bias, role, expert, {}});
  }

  const Architecture& architecture_;
  int64_t layer_;
  std::vector<LinearInfo> linears_;
};

void AddNorms(const Architecture& a, int64_t layer, std::vector<TensorInfo>& tensors) {
  const auto add = [&](const std::string& suffix, int64_t width) {
    if (!suffix.empty()) tensors.push_back({BlockTensorName(a, layer, suffix), {width}});
  };
  add(a.norms.attention_input, a.hidden_size);
  add(a.norms.attention_output, a.hidden_size);
  add(a.norms.mlp_input, a.hidden_size);
  add(a.norms.mlp_output, a.hidden_size);
  if (a.query_key_norm == QueryKeyNorm::kNone) return;
  const bool all = a.query_key_norm == QueryKeyNorm::kAllHeads;
  add("self_attn.q_norm.weight", a.head_dim * (all ? a.heads : 1));
  add("self_attn.k_norm.weight", a.head_dim * (all ? a.kv_heads : 1));
}

}  // namespace

LinearInput InputOf(LinearRole role) {
  switch (role) {
    case LinearRole::kQuery:
    case LinearRole::kKey:
    case LinearRole::kValue:
    case LinearRole::kQueryKeyValue:
      return LinearInput::kAttentionInput;
    case LinearRole::kAttentionOutput:
      return LinearInput::kAttended;
    case LinearRole::kGate:
    case LinearRole::kUp:
    case LinearRole::kGateUp:
      return LinearInput::kMlpInput;
    case LinearRole::kDown:
      return LinearInput::kMlpHidden;
  }
  return LinearInput::kAttentionInput;
}

std::vector<LinearInfo> DescribeLinears(const Architecture& architecture, int64_t layer) {
  LinearList list(architecture, layer);
  list.AddAttention();
  if (architecture.HasExperts(layer)) {
    for (int64_t expert = 0; expert < architecture.experts.count; ++expert) list.AddExpert(expert);
  } else {
    list.AddMlp();
  }
  return list.Take();
}

std::vector<LinearStage> LinearStages(std::span<const LinearInfo> linears) {
  std::vector<LinearStage> stages;
  for (size_t i = 0; i < linears.size(); ++i) {
    const LinearInput input = InputOf(linears[i].role);
    const int64_t expert = linears[i].expert;
    const bool same =
        !stages.empty() && stages.back().input == input && stages.back().expert == expert;
    if (!same) stages.push_back({.first = i, .count = 0, .input = input, .expert = expert});
    ++stages.back().count;
  }
  return stages;
}

std::vector<TensorInfo> DescribeOtherTensors(const Architecture& architecture) {
  const Architecture& a = architecture;
  std::vector<TensorInfo> tensors = {{EmbeddingName(a), {a.vocab_size, a.hidden_size}}};
  for (int64_t layer = 0; layer < a.layers; ++layer) {
    AddNorms(a, layer, tensors);
    if (a.HasExperts(layer)) {
      tensors.push_back({RouterName(a, layer), {a.experts.count, a.hidden_size}});
    }
  }
  tensors.push_back({FinalNormName(a), {a.hidden_size}});
  if (!a.tied_embeddings) tensors.push_back({HeadName(a), {a.vocab_size, a.hidden_size}});
  return tensors;
}

std::string EmbeddingName(const Architecture& architecture) {
  return architecture.names.prefix + "embed_tokens.weight";
}

std::string FinalNormName(const Architecture& architecture) {
  return architecture.names.prefix + "norm.weight";
}

std::string HeadName(const Architecture& architecture) {
  return architecture.tied_embeddings ? EmbeddingName(architecture) : architecture.names.head;
}

std::string RouterName(const Architecture& architecture, int64_t layer) {
  return BlockTensorName(architecture, layer, architecture.experts.module + ".gate.weight");
}

std::string BlockTensorName(const Architecture& architecture, int64_t layer,
                            const std::string& suffix) {
  return fmt::format("{}layers.{}.{}", architecture.names.prefix, layer, suffix);
}

}  // namespace paroquant::model
