#include "tests/fuzz/targets.h"

#include <array>
#include <stdexcept>

#include "paroquant/base/error.h"

namespace paroquant::fuzz {
namespace {

constexpr std::array<Target, 10> kTargets{{{"safetensors", ReadSafetensors},
                                           {"index", ReadIndex},
                                           {"config", ReadConfig},
                                           {"tokenizer_file", ReadTokenizerFile},
                                           {"encode", EncodeText},
                                           {"documents", ReadDocumentFile},
                                           {"packed_layer", ReadPackedLayer},
                                           {"records", ReadRecords},
                                           {"chat_template", RenderChatTemplate},
                                           {"tokenizer_config", ReadTokenizerConfig}}};

void RequireGoodError(const Error& error) {
  const ErrorParts& parts = error.parts();
  Require(error.kind() == ErrorKind::kInput || error.kind() == ErrorKind::kUnsupported,
          "an error that is the input's fault");
  Require(!parts.where.empty() && !parts.expected.empty() && !parts.found.empty() &&
              !parts.hint.empty(),
          "an error with all four parts");
}

}  // namespace

std::span<const Target> Targets() { return kTargets; }

void Check(const Target& target, std::string_view input) {
  try {
    target.read(input);
  } catch (const Error& error) {
    RequireGoodError(error);
  }
}

void Require(bool condition, const char* promise) {
  if (!condition) throw std::logic_error(promise);
}

}  // namespace paroquant::fuzz
