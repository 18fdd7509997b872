#include "model/rope_settings.h"

#include <cmath>

namespace paroquant::model {
namespace {

constexpr char kParameters[] = "rope_parameters";
constexpr char kFullAttention[] = "full_attention";
constexpr char kSlidingAttention[] = "sliding_attention";
constexpr char kFraction[] = "partial_rotary_factor";

void RequirePositive(const io::JsonObject& object, const char* key, double value) {
  if (!(value > 0.0) || !std::isfinite(value)) {
    object.Fail(key, "a positive number", fmt::format("{}", value));
  }
}

// YaRN's temperature for one of its two exponents (arXiv 2309.00071, equation 22).
double YarnTemperature(double factor, double scale = 1.0) {
  return factor > 1.0 ? 0.1 * scale * std::log(factor) + 1.0 : 1.0;
}

double YarnAttentionFactor(const io::JsonObject& settings, double factor) {
  if (settings.Has("attention_factor")) return settings.Get<double>("attention_factor");
  const double scale = settings.GetOr("mscale", 0.0);
  const double scale_all = settings.GetOr("mscale_all_dim", 0.0);
  if (scale != 0.0 && scale_all != 0.0) {
    return YarnTemperature(factor, scale) / YarnTemperature(factor, scale_all);
  }
  return YarnTemperature(factor);
}

RopeScaling ParseType(const io::JsonObject& settings) {
  // "type" is the older name of the key.
  const char* key = settings.Has("rope_type") ? "rope_type" : "type";
  const auto type = settings.GetOr<std::string>(key, "default");
  if (type == "default") return RopeScaling::kNone;
  if (type == "linear") return RopeScaling::kLinear;
  if (type == "dynamic") return RopeScaling::kDynamic;
  if (type == "llama3") return RopeScaling::kLlama3;
  if (type == "yarn") return RopeScaling::kYarn;
  if (type == "longrope" || type == "su") return RopeScaling::kLongRope;
  throw Error(ErrorKind::kUnsupported,
              {.where = fmt::format("{}: {}", settings.where(), key),
               .expected = "default, linear, dynamic, llama3, yarn or longrope",
               .found = fmt::format("\"{}\"", type),
               .hint = "This rope scaling is not supported."});
}

std::vector<double> Factors(const io::JsonObject& settings, const char* key) {
  if (!settings.Has(key) || !settings.json().at(key).is_array()) {
    settings.Fail(key, "a list of numbers", settings.Has(key) ? "something else" : "nothing");
  }
  std::vector<double> factors;
  for (const io::Json& entry : settings.json().at(key)) {
    factors.push_back(entry.is_number() ? entry.get<double>() : 0.0);
    RequirePositive(settings, key, factors.back());
  }
  return factors;
}

// LongRoPE (arXiv 2402.13753) says by how much each frequency is divided.
void ParseLongRope(const io::JsonObject& config, const io::JsonObject& settings,
                   int64_t max_positions, RopeSettings& rope) {
  constexpr char kOriginal[] = "original_max_position_embeddings";
  rope.original_max_positions =
      settings.GetOr<int64_t>(kOriginal, config.GetOr<int64_t>(kOriginal, max_positions));
  RequirePositive(settings, kOriginal, static_cast<double>(rope.original_max_positions));
  rope.short_factors = Factors(settings, "short_factor");
  rope.long_factors = Factors(settings, "long_factor");
  const auto original = static_cast<double>(rope.original_max_positions);
  rope.factor = settings.GetOr("factor", static_cast<double>(max_positions) / original);
  const double stretched =
      rope.factor > 1.0 ? std::sqrt(1.0 + std::log(rope.factor) / std::log(original)) : 1.0;
  rope.attention_factor = settings.GetOr("attention_factor", stretched);
  RequirePositive(settings, "attention_factor", rope.attention_factor);
}

void ParseScaling(const io::JsonObject& config, const io::JsonObject& settings,
                  int64_t max_positions, RopeSettings& rope) {
  rope.scaling = ParseType(settings);
  if (rope.scaling == RopeScaling::kNone) return;
  if (rope.scaling == RopeScaling::kLongRope) {
    return ParseLongRope(config, settings, max_positions, rope);
  }
  rope.factor = settings.Get<double>("factor");
  RequirePositive(settings, "factor", rope.factor);
  rope.original_max_positions =
      settings.GetOr<int64_t>("original_max_position_embeddings", max_positions);
  RequirePositive(settings, "original_max_position_embeddings",
                  static_cast<double>(rope.original_max_positions));
  if (rope.scaling == RopeScaling::kDynamic) rope.original_max_positions = max_positions;
  if (rope.scaling == RopeScaling::kLlama3) {
    rope.low_frequency_factor = settings.Get<double>("low_freq_factor");
    rope.high_frequency_factor = settings.Get<double>("high_freq_factor");
    if (!(rope.high_frequency_factor > rope.low_frequency_factor)) {
      settings.Fail("high_freq_factor", "more than low_freq_factor",
                    fmt::format("{}", rope.high_frequency_factor));
    }
  }
  if (rope.scaling == RopeScaling::kYarn) {
    rope.beta_fast = settings.GetOr("beta_fast", rope.beta_fast);
    rope.beta_slow = settings.GetOr("beta_slow", rope.beta_slow);
    RequirePositive(settings, "beta_fast", rope.beta_fast);
    RequirePositive(settings, "beta_slow", rope.beta_slow);
    rope.truncate = settings.GetOr("truncate", rope.truncate);
    rope.attention_factor = YarnAttentionFactor(settings, rope.factor);
    RequirePositive(settings, "attention_factor", rope.attention_factor);
  }
}

void ReadParameters(const io::JsonObject& config, const io::JsonObject& settings,
                    int64_t max_positions, RopeSettings& rope) {
  rope.theta = settings.GetOr("rope_theta", rope.theta);
  rope.fraction = settings.GetOr(kFraction, rope.fraction);
  ParseScaling(config, settings, max_positions, rope);
}

void RequireSensible(const io::JsonObject& config, const RopeSettings& rope) {
  RequirePositive(config, "rope_theta", rope.theta);
  RequirePositive(config, kFraction, rope.fraction);
  if (rope.fraction > 1.0) config.Fail(kFraction, "1 at most", fmt::format("{}", rope.fraction));
}

}  // namespace

RopeSettings ParseRope(const io::JsonObject& config, int64_t max_positions) {
  RopeSettings rope;
  rope.theta = config.GetOr("rope_theta", rope.theta);
  rope.fraction = config.GetOr(kFraction, rope.fraction);
  if (config.Has(kParameters)) {
    const io::JsonObject all = config.Object(kParameters);
    const io::JsonObject settings = all.Has(kFullAttention) ? all.Object(kFullAttention) : all;
    ReadParameters(config, settings, max_positions, rope);
  } else if (config.Has("rope_scaling")) {
    ParseScaling(config, config.Object("rope_scaling"), max_positions, rope);
  }
  RequireSensible(config, rope);
  return rope;
}

std::optional<RopeSettings> ParseLocalRope(const io::JsonObject& config, int64_t max_positions) {
  RopeSettings rope;
  if (config.Has(kParameters) && config.Object(kParameters).Has(kSlidingAttention)) {
    ReadParameters(config, config.Object(kParameters).Object(kSlidingAttention), max_positions,
                   rope);
  } else if (config.Has("rope_local_base_freq")) {
    rope.theta = config.Get<double>("rope_local_base_freq");
  } else {
    return std::nullopt;
  }
  RequireSensible(config, rope);
  return rope;
}

}  // namespace paroquant::model
