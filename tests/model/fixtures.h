// Settings of small models.
#ifndef PAROQUANT_TESTS_MODEL_FIXTURES_H_
#define PAROQUANT_TESTS_MODEL_FIXTURES_H_

#include <string>

#include "paroquant/io/json.h"

namespace paroquant::model::testing {

// A config.json with nothing but the keys that every family needs.
inline io::Json MinimalConfig(const std::string& model_type) {
  return {{"model_type", model_type}, {"vocab_size", 100},      {"hidden_size", 64},
          {"intermediate_size", 96},  {"num_hidden_layers", 4}, {"num_attention_heads", 4}};
}

// `config` with the keys of `changes` set; null stays a value.
inline io::Json With(io::Json config, const io::Json& changes) {
  for (const auto& [key, value] : changes.items()) config[key] = value;
  return config;
}

}  // namespace paroquant::model::testing

#endif  // PAROQUANT_TESTS_MODEL_FIXTURES_H_
