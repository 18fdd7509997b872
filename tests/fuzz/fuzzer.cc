// libFuzzer's side of the targets: "fuzzer TARGET [its options and corpora]".
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/targets.h"

namespace {

const paroquant::fuzz::Target* target = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* name = std::getenv("PAROQUANT_FUZZ_TARGET");
  for (const paroquant::fuzz::Target& known : paroquant::fuzz::Targets()) {
    if (name != nullptr && std::string_view(name) == known.name) target = &known;
  }
  if (target != nullptr) return 0;
  std::fputs("PAROQUANT_FUZZ_TARGET is none of:", stderr);
  for (const auto& known : paroquant::fuzz::Targets()) std::fprintf(stderr, " %s", known.name);
  std::fputs("\n", stderr);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  paroquant::fuzz::Check(*target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
