#include "paroquant/model/architecture.h"

#include <fmt/ranges.h>

#include "model/families/families.h"
#include "model/rope_settings.h"
#include "paroquant/io/asked_keys.h"

namespace paroquant::model {
namespace {

// Bounds that no model comes near; they keep a damaged config from asking for absurd memory.
constexpr int64_t kMaxDimension = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 4096;
constexpr int64_t kMostExperts = int64_t{1} << 16;  // in all layers
// What models of several parts call their language model's settings.
constexpr char kLanguagePart[] = "text_config";

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

Activation ReadActivation(const io::JsonObject& config, bool gelu_is_tanh) {
  const char* key = config.Has("hidden_activation") ? "hidden_activation" : "hidden_act";
  const auto activation = config.GetOr<std::string>(key, "silu");
  if (activation == "silu" || activation == "swish") return Activation::kSilu;
  if (activation == "gelu_pytorch_tanh") return Activation::kGeluTanh;
  if (activation == "gelu" && gelu_is_tanh) return Activation::kGeluTanh;
  throw Error(ErrorKind::kUnsupported, {.where = fmt::format("{}: {}", config.where(), key),
                                        .expected = "silu or gelu_pytorch_tanh",
                                        .found = fmt::format("\"{}\"", activation),
                                        .hint = "This activation is not supported."});
}

// The settings of the language model: the whole of config.json or a part of it, with what stands
// beside that part and holds for it.
io::Json LanguageSettings(const io::Json& config_json, const std::string& where,
                          io::AskedKeys& asked) {
  const io::JsonObject config(config_json, where, &asked);
  if (!config.Has(kLanguagePart)) return config_json;
  io::Json settings = config.Object(kLanguagePart).json();
  for (const char* key : {"tie_word_embeddings", "bos_token_id", "eos_token_id"}) {
    if (config.Has(key) && !settings.contains(key)) settings[key] = config_json.at(key);
  }
  return settings;
}

// An explicit null stays: it may mean something else than an absent key.
void AddDefaults(const char* defaults, io::Json& settings) {
  if (defaults == nullptr) return;
  const io::Json values = io::Json::parse(defaults);
  for (const auto& [key, value] : values.items()) {
    if (!settings.contains(key)) settings[key] = value;
  }
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

// Layers with a sliding window turn by the local settings, where the model has some.
void UseLocalRope(const io::JsonObject& config, Architecture& architecture) {
  const std::optional<RopeSettings> local = ParseLocalRope(config, architecture.max_positions);
  if (!local) return;
  architecture.local_rope = *local;
  for (size_t layer = 0; layer < architecture.windows.size(); ++layer) {
    if (architecture.windows[layer] > 0) architecture.rope_uses[layer] = RopeUse::kLocal;
  }
}

void CheckRope(const io::JsonObject& config, const RopeSettings& rope, int64_t head_dim) {
  const int64_t turned = RotaryChannels(rope, head_dim);
  if (turned < 2 || turned % 2 != 0) {
    config.Fail("partial_rotary_factor", fmt::format("an even part of {} channels", head_dim),
                fmt::format("{} channels", turned));
  }
  for (const std::vector<double>& factors : {rope.short_factors, rope.long_factors}) {
    if (rope.scaling != RopeScaling::kLongRope || std::ssize(factors) == turned / 2) continue;
    config.Fail("rope_scaling", fmt::format("{} factors, one for each frequency", turned / 2),
                fmt::format("{}", factors.size()));
  }
}

void CheckExperts(const io::JsonObject& config, const Architecture& architecture) {
  const ExpertSettings& experts = architecture.experts;
  if (experts.count == 0) return;
  if (experts.count * architecture.layers > kMostExperts) {
    config.Fail("num_hidden_layers", fmt::format("{} experts in all at most", kMostExperts),
                fmt::format("{} in each of {} layers", experts.count, architecture.layers));
  }
  if (experts.per_token < 1 || experts.per_token > experts.count) {
    config.Fail("num_experts_per_tok", fmt::format("between 1 and {}, the experts", experts.count),
                fmt::format("{}", experts.per_token));
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
  if (architecture.norm_epsilon < 0.0 || architecture.norm_epsilon >= 1.0) {
    config.Fail("rms_norm_eps", "0 or more and under 1",
                fmt::format("{}", architecture.norm_epsilon));
  }
  for (const int64_t window : architecture.windows) {
    if (window < 0) {
      config.Fail("sliding_window", "a positive number", fmt::format("{}", window));
    }
  }
  for (const RopeSettings& rope : {architecture.rope, architecture.local_rope}) {
    CheckRope(config, rope, architecture.head_dim);
  }
  CheckExperts(config, architecture);
}

}  // namespace

int64_t RotaryChannels(const RopeSettings& rope, int64_t head_dim) {
  return static_cast<int64_t>(static_cast<double>(head_dim) * rope.fraction);
}

Architecture ParseArchitecture(const io::Json& config_json, const std::string& where) {
  const bool in_parts = io::JsonObject(config_json, where).Has(kLanguagePart);
  const std::string place = in_parts ? fmt::format("{}: {}", where, kLanguagePart) : where;
  io::AskedKeys asked;
  io::Json settings = LanguageSettings(config_json, where, asked);
  const Family& family = FindFamily(io::JsonObject(settings, place));
  AddDefaults(family.defaults, settings);
  const io::JsonObject config(settings, place, &asked);

  Architecture architecture;
  architecture.model_type = family.model_type;
  ReadDimensions(config, architecture);
  ReadTokens(config, architecture);
  architecture.activation = ReadActivation(config, family.gelu_is_tanh);
  architecture.norm_epsilon = config.GetOr("rms_norm_eps", architecture.norm_epsilon);
  architecture.tied_embeddings = config.GetOr("tie_word_embeddings", false);
  architecture.rope = ParseRope(config, architecture.max_positions);
  const auto layers = static_cast<size_t>(architecture.layers);
  architecture.windows.assign(layers, 0);
  architecture.rope_uses.assign(layers, RopeUse::kGlobal);
  family.fill(config, architecture);
  ReadLayerTypes(config, architecture);
  UseLocalRope(config, architecture);
  CheckConsistency(config, architecture);
  asked.RefuseMistyped(config_json, where);
  return architecture;
}

}  // namespace paroquant::model
