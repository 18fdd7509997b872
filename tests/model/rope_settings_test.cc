#include "model/rope_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/model/fixtures.h"
#include "tests/testing/error_of.h"

namespace paroquant::model {
namespace {

using paroquant::testing::ErrorOf;
using ::testing::HasSubstr;
using testing::With;

constexpr int64_t kMaxPositions = 1024;

RopeSettings SettingsOf(const io::Json& config) {
  return ParseRope(io::JsonObject(config, "config.json"), kMaxPositions);
}

// A scaling as config.json has it, and what it means.
struct ScalingCase {
  io::Json scaling;
  RopeSettings expected;
};

const double kLog4 = std::log(4.0);

std::vector<ScalingCase> ScalingCases() {
  const io::Json yarn = {{"rope_type", "yarn"}, {"factor", 4.0}};
  const RopeSettings plain{.theta = 5e5};
  const auto yarn_settings = [&](double attention_factor) {
    return RopeSettings{.theta = 5e5,
                        .scaling = RopeScaling::kYarn,
                        .factor = 4,
                        .original_max_positions = kMaxPositions,
                        .attention_factor = attention_factor};
  };
  // arXiv 2309.00071, equation 22: sqrt(1 / t) = 0.1 ln(s) + 1.
  const double temperature = 0.1 * kLog4 + 1;
  RopeSettings tuned = yarn_settings(temperature);
  tuned.original_max_positions = 256;
  tuned.beta_fast = 16;
  tuned.beta_slow = 2;
  tuned.truncate = false;
  return {
      {{{"rope_type", "default"}}, plain},
      {io::Json::object(), plain},
      {{{"rope_type", "linear"}, {"factor", 2.5}},
       {.theta = 5e5,
        .scaling = RopeScaling::kLinear,
        .factor = 2.5,
        .original_max_positions = kMaxPositions}},
      {{{"type", "linear"}, {"factor", 2}},
       {.theta = 5e5,
        .scaling = RopeScaling::kLinear,
        .factor = 2,
        .original_max_positions = kMaxPositions}},
      // Both keys: the newer one counts.
      {{{"type", "linear"}, {"rope_type", "dynamic"}, {"factor", 3}},
       {.theta = 5e5,
        .scaling = RopeScaling::kDynamic,
        .factor = 3,
        .original_max_positions = kMaxPositions}},
      {{{"rope_type", "llama3"},
        {"factor", 8},
        {"low_freq_factor", 1.5},
        {"high_freq_factor", 5},
        {"original_max_position_embeddings", 128}},
       {.theta = 5e5,
        .scaling = RopeScaling::kLlama3,
        .factor = 8,
        .original_max_positions = 128,
        .low_frequency_factor = 1.5,
        .high_frequency_factor = 5}},
      {yarn, yarn_settings(temperature)},
      {With(yarn, {{"original_max_position_embeddings", 256},
                   {"beta_fast", 16},
                   {"beta_slow", 2},
                   {"truncate", false}}),
       tuned},
      {With(yarn, {{"attention_factor", 0.75}}), yarn_settings(0.75)},
      {With(yarn, {{"mscale", 2}, {"mscale_all_dim", 0.5}}),
       yarn_settings((0.2 * kLog4 + 1) / (0.05 * kLog4 + 1))},
      {With(yarn, {{"mscale", 2}}), yarn_settings(temperature)},
  };
}

void ExpectSame(const RopeSettings& found, const RopeSettings& expected) {
  EXPECT_EQ(found.theta, expected.theta);
  EXPECT_EQ(found.scaling, expected.scaling);
  EXPECT_EQ(found.factor, expected.factor);
  if (expected.scaling != RopeScaling::kNone) {
    EXPECT_EQ(found.original_max_positions, expected.original_max_positions);
  }
  EXPECT_EQ(found.low_frequency_factor, expected.low_frequency_factor);
  EXPECT_EQ(found.high_frequency_factor, expected.high_frequency_factor);
  EXPECT_EQ(found.beta_fast, expected.beta_fast);
  EXPECT_EQ(found.beta_slow, expected.beta_slow);
  EXPECT_EQ(found.truncate, expected.truncate);
  EXPECT_NEAR(found.attention_factor, expected.attention_factor, 1e-12);
}

TEST(RopeSettingsTest, BothStylesMeanTheSame) {
  for (const ScalingCase& c : ScalingCases()) {
    SCOPED_TRACE(c.scaling.dump());
    ExpectSame(SettingsOf({{"rope_theta", 5e5}, {"rope_scaling", c.scaling}}), c.expected);
    ExpectSame(SettingsOf({{"rope_parameters", With(c.scaling, {{"rope_theta", 5e5}})}}),
               c.expected);
    // As transformers reads it: what rope_parameters lacks may stand beside it.
    ExpectSame(SettingsOf({{"rope_theta", 5e5}, {"rope_parameters", c.scaling}}), c.expected);
  }
}

TEST(RopeSettingsTest, NothingSaidIsThePlainEmbedding) {
  ExpectSame(SettingsOf(io::Json::object()), {.theta = 10000});
  ExpectSame(SettingsOf({{"rope_theta", 500}, {"rope_scaling", nullptr}}), {.theta = 500});
}

// Dynamic scaling starts where the model's own context ends, whatever the settings say beside it.
TEST(RopeSettingsTest, DynamicScalingStartsAtTheModelsContext) {
  const RopeSettings rope = SettingsOf(
      {{"rope_scaling",
        {{"rope_type", "dynamic"}, {"factor", 2}, {"original_max_position_embeddings", 64}}}});
  EXPECT_EQ(rope.original_max_positions, kMaxPositions);
}

TEST(RopeSettingsTest, BadValuesNameTheirKey) {
  const io::Json llama3 = {
      {"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}, {"high_freq_factor", 4}};
  struct BadValue {
    io::Json scaling;
    const char* key;
  };
  for (const BadValue& c : std::vector<BadValue>{
           {{{"rope_type", "linear"}}, "factor"},
           {{{"rope_type", "linear"}, {"factor", 0}}, "factor"},
           {{{"rope_type", "linear"}, {"factor", -2}}, "factor"},
           {{{"rope_type", "linear"}, {"factor", "2"}}, "factor"},
           {{{"rope_type", 1}, {"factor", 2}}, "rope_type"},
           {With(llama3, {{"low_freq_factor", nullptr}}), "low_freq_factor"},
           {With(llama3, {{"high_freq_factor", nullptr}}), "high_freq_factor"},
           {With(llama3, {{"high_freq_factor", 1}}), "high_freq_factor"},
           {With(llama3, {{"original_max_position_embeddings", 0}}),
            "original_max_position_embeddings"},
           {With(llama3, {{"original_max_position_embeddings", 8192.5}}),
            "original_max_position_embeddings"},
           {{{"rope_type", "yarn"}, {"factor", 4}, {"truncate", "no"}}, "truncate"},
           {{{"rope_type", "yarn"}, {"factor", 4}, {"beta_fast", 0}}, "beta_fast"},
           {{{"rope_type", "yarn"}, {"factor", 4}, {"beta_slow", -1}}, "beta_slow"},
           {{{"rope_type", "yarn"}, {"factor", 4}, {"attention_factor", 0}}, "attention_factor"},
           // A temperature of 0 and less: 0.1 * -10 ln 4 + 1.
           {{{"rope_type", "yarn"}, {"factor", 4}, {"mscale", 1}, {"mscale_all_dim", -10}},
            "attention_factor"},
           // sqrt(1 + ln 1024 / ln 1).
           {{{"rope_type", "longrope"},
             {"short_factor", {1}},
             {"long_factor", {1}},
             {"original_max_position_embeddings", 1}},
            "attention_factor"}}) {
    for (const char* style : {"rope_scaling", "rope_parameters"}) {
      SCOPED_TRACE(c.scaling.dump());
      const Error error = ErrorOf([&] { SettingsOf({{style, c.scaling}}); });
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(error.parts().where, std::string("config.json: ") + style + ": " + c.key);
    }
  }
}

TEST(RopeSettingsTest, BadThetaIsNamed) {
  for (const io::Json& theta : {io::Json(0), io::Json(-1e4), io::Json("big")}) {
    for (const io::Json& config : {io::Json{{"rope_theta", theta}},
                                   io::Json{{"rope_parameters", {{"rope_theta", theta}}}}}) {
      const Error error = ErrorOf([&] { SettingsOf(config); });
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << config;
      EXPECT_THAT(error.parts().where, HasSubstr("rope_theta"));
    }
  }
}

TEST(RopeSettingsTest, OtherScalingsAreNamedBesideThoseThatAreHandled) {
  for (const char* key : {"rope_type", "type"}) {
    const Error error = ErrorOf([&] {
      SettingsOf({{"rope_scaling", {{key, "spiral"}, {"factor", 4}}}});
    });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(error.parts().where, std::string("config.json: rope_scaling: ") + key);
    EXPECT_EQ(error.parts().expected, "default, linear, dynamic, llama3, yarn or longrope");
    EXPECT_EQ(error.parts().found, "\"spiral\"");
  }
}

}  // namespace
}  // namespace paroquant::model
