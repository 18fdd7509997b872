#include "paroquant/model/architecture.h"

#include <fmt/ranges.h>

#include "model/families/families.h"
#include "model/rope_settings.h"

namespace paroquant::model {
namespace {

// Bounds that no model comes near; they keep a damaged config from asking for absurd memory.
constexpr int64_t kMaxDimension = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 4096;

int64_t Dimension(const io::JsonObject& config, const char* key, int64_t value, int64_t maximum) {
  if (value < 1 || value > maximum) {
    config.Fail(key, fmt::format("between 1 and {}", maximum), fmt::format("{}", value));
  }
  return value;
}

int64_t Dimension(const io::JsonObject& config, const char* key, int64_t maximum = kMaxDimension) {
  return Dimension(config, key, config.Get<int64_t>(key), maximum);
}

const Family& FindFamily(const io::JsonObject& config) {
  const auto model_type = config.Get<std::string>("model_type");
  std::vector<std::string> names;
  for (const Family& family : Families()) {
    if (model_type == family.model_type) return family;
    names.emplace_back(family.model_type);
  }
  throw Error(ErrorKind::kUnsupported,
              {.where = config.where() + ": model_type",
               .expected = fmt::format("one of {}", fmt::join(names, ", ")),
               .found = fmt::format("\"{}\"", model_type),
               .hint = "This family is not supported."});
}

void RequireSilu(const io::JsonObject& config) {
  const auto activation = config.GetOr<std::string>("hidden_act", "silu");
  if (activation == "silu" || activation == "swish") return;
  throw Error(ErrorKind::kUnsupported, {.where = config.where() + ": hidden_act",
                                        .expected = "silu",
                                        .found = fmt::format("\"{}\"", activation),
                                        .hint = "This activation is not supported."});
}

void ReadDimensions(const io::JsonObject& config, Architecture& architecture) {
  architecture.vocab_size = Dimension(config, "vocab_size");
  architecture.hidden_size = Dimension(config, "hidden_size");
  architecture.intermediate_size = Dimension(config, "intermediate_size");
  architecture.layers = Dimension(config, "num_hidden_layers", kMaxLayers);
  architecture.heads = Dimension(config, "num_attention_heads");
  architecture.kv_heads =
      Dimension(config, "num_key_value_heads",
                config.GetOr<int64_t>("num_key_value_heads", architecture.heads), kMaxDimension);
  architecture.head_dim =
      config.GetOr<int64_t>("head_dim", architecture.hidden_size / architecture.heads);
  architecture.max_positions =
      Dimension(config, "max_position_embeddings",
                config.GetOr<int64_t>("max_position_embeddings", 2048), kMaxDimension);
}

void ReadTokens(const io::JsonObject& config, Architecture& architecture) {
  // Some configs say -1 for "none".
  const auto bos = config.GetOr<int64_t>("bos_token_id", -1);
  if (bos < -1 || bos >= architecture.vocab_size) {
    config.Fail("bos_token_id", fmt::format("an id under vocab_size = {}", architecture.vocab_size),
                fmt::format("{}", bos));
  }
  if (bos >= 0) architecture.bos_token_id = static_cast<int32_t>(bos);
  if (!config.Has("eos_token_id")) return;
  const io::Json& eos = config.json().at("eos_token_id");
  for (const io::Json& id : eos.is_array() ? eos : io::Json::array({eos})) {
    const io::Json single = {{"eos_token_id", id}};
    architecture.eos_token_ids.push_back(
        io::JsonObject(single, config.where()).Get<int32_t>("eos_token_id"));
  }
}

// The newer style says each layer's kind of attention outright.
void ReadLayerTypes(const io::JsonObject& config, Architecture& architecture) {
  if (!config.Has("layer_types")) return;
  const io::Json& types = config.json().at("layer_types");
  if (!types.is_array() || types.size() != architecture.windows.size()) {
    config.Fail("layer_types", fmt::format("a list of {} entries", architecture.layers),
                fmt::format("{} entries", types.size()));
  }
  for (size_t layer = 0; layer < types.size(); ++layer) {
    const auto type = types[layer].is_string() ? types[layer].get<std::string>() : "";
    if (type == "full_attention") {
      architecture.windows[layer] = 0;
    } else if (type == "sliding_attention") {
      architecture.windows[layer] = Dimension(config, "sliding_window");
    } else {
      throw Error(ErrorKind::kUnsupported, {.where = config.where() + ": layer_types",
                                            .expected = "full_attention or sliding_attention",
                                            .found = types[layer].dump(),
                                            .hint = "This kind of attention is not supported."});
    }
  }
}

void CheckConsistency(const io::JsonObject& config, const Architecture& architecture) {
  Dimension(config, "head_dim", architecture.head_dim, kMaxDimension);
  if (architecture.heads % architecture.kv_heads != 0) {
    config.Fail("num_key_value_heads",
                fmt::format("a divisor of num_attention_heads = {}", architecture.heads),
                fmt::format("{}", architecture.kv_heads));
  }
  if (architecture.head_dim % 2 != 0) {
    config.Fail("head_dim", "an even number", fmt::format("{}", architecture.head_dim));
  }
  if (architecture.norm_epsilon < 0.0) {
    config.Fail("rms_norm_eps", "0 or more", fmt::format("{}", architecture.norm_epsilon));
  }
  for (const int64_t window : architecture.windows) {
    if (window < 0) {
      config.Fail("sliding_window", "a positive number", fmt::format("{}", window));
    }
  }
}

}  // namespace

Architecture ParseArchitecture(const io::Json& config_json, const std::string& where) {
  const io::JsonObject config(config_json, where);
  const Family& family = FindFamily(config);
  RequireSilu(config);

  Architecture architecture;
  architecture.model_type = family.model_type;
  ReadDimensions(config, architecture);
  ReadTokens(config, architecture);
  architecture.norm_epsilon = config.GetOr("rms_norm_eps", architecture.norm_epsilon);
  architecture.tied_embeddings = config.GetOr("tie_word_embeddings", false);
  architecture.rope = ParseRope(config, architecture.max_positions);
  architecture.windows.assign(static_cast<size_t>(architecture.layers), 0);
  family.fill(config, architecture);
  ReadLayerTypes(config, architecture);
  CheckConsistency(config, architecture);
  return architecture;
}

std::string BlockTensorName(int64_t layer, const std::string& suffix) {
  return fmt::format("model.layers.{}.{}", layer, suffix);
}

std::string EmbeddingName() { return "model.embed_tokens.weight"; }

std::string FinalNormName() { return "model.norm.weight"; }

std::string HeadName(const Architecture& architecture) {
  return architecture.tied_embeddings ? EmbeddingName() : "lm_head.weight";
}

LinearInfo DescribeLinear(const Architecture& architecture, int64_t layer, LinearRole role) {
  const int64_t hidden = architecture.hidden_size;
  const int64_t query = architecture.heads * architecture.head_dim;
  const int64_t key_value = architecture.kv_heads * architecture.head_dim;
  const int64_t mlp = architecture.intermediate_size;
  const auto info = [&](const char* suffix, int64_t out, int64_t in, bool bias) {
    return LinearInfo{BlockTensorName(layer, suffix), out, in, bias};
  };
  switch (role) {
    case LinearRole::kQuery:
      return info("self_attn.q_proj", query, hidden, architecture.qkv_bias);
    case LinearRole::kKey:
      return info("self_attn.k_proj", key_value, hidden, architecture.qkv_bias);
    case LinearRole::kValue:
      return info("self_attn.v_proj", key_value, hidden, architecture.qkv_bias);
    case LinearRole::kAttentionOutput:
      return info("self_attn.o_proj", hidden, query, architecture.attention_output_bias);
    case LinearRole::kGate:
      return info("mlp.gate_proj", mlp, hidden, architecture.mlp_bias);
    case LinearRole::kUp:
      return info("mlp.up_proj", mlp, hidden, architecture.mlp_bias);
    case LinearRole::kDown:
      return info("mlp.down_proj", hidden, mlp, architecture.mlp_bias);
  }
  return {};
}

}  // namespace paroquant::model
