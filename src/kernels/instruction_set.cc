#include "paroquant/kernels/instruction_set.h"

#ifdef PAROQUANT_X86_KERNELS
#include <cpuid.h>
#endif

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstdlib>

#include "kernels/kernels.h"

namespace paroquant::kernels {

#define PAROQUANT_DECLARE_KERNELS(variant) \
  namespace variant {                      \
  extern const Kernels kKernels;           \
  }
PAROQUANT_DECLARE_KERNELS(portable)
#ifdef PAROQUANT_X86_KERNELS
PAROQUANT_DECLARE_KERNELS(avx2)
PAROQUANT_DECLARE_KERNELS(avx512)
#endif

namespace {

#ifdef PAROQUANT_X86_KERNELS
// Clang 14's __builtin_cpu_supports does not know this one.
bool HasF16c() {
  unsigned int eax = 0;
  unsigned int ebx = 0;
  unsigned int ecx = 0;
  unsigned int edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

// The best first.
std::vector<const Kernels*> SupportedKernels() {
  std::vector<const Kernels*> supported;
#ifdef PAROQUANT_X86_KERNELS
  __builtin_cpu_init();
  const bool avx2 =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 && HasF16c();
  if (avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
    supported.push_back(&avx512::kKernels);
  }
  if (avx2) supported.push_back(&avx2::kKernels);
#endif
  supported.push_back(&portable::kKernels);
  return supported;
}

// The one of that name, or none.
const Kernels* Find(const std::vector<const Kernels*>& kernels, const std::string& name) {
  const auto found =
      std::ranges::find_if(kernels, [&](const Kernels* one) { return one->name == name; });
  return found == kernels.end() ? nullptr : *found;
}

const Kernels* FirstChoice() {
  const std::vector<const Kernels*> supported = SupportedKernels();
  const char* wanted = std::getenv("PAROQUANT_INSTRUCTIONS");
  const Kernels* named = wanted == nullptr ? nullptr : Find(supported, wanted);
  return named == nullptr ? supported.front() : named;
}

std::atomic<const Kernels*>& Active() {
  static std::atomic<const Kernels*> active = FirstChoice();
  return active;
}

}  // namespace

const Kernels& ActiveKernels() { return *Active().load(std::memory_order_relaxed); }

std::vector<std::string> SupportedInstructionSets() {
  std::vector<std::string> names;
  for (const Kernels* kernels : SupportedKernels()) names.emplace_back(kernels->name);
  return names;
}

std::string ActiveInstructionSet() { return ActiveKernels().name; }

void SelectInstructionSet(const char* name) {
  const Kernels* kernels = Find(SupportedKernels(), name);
  assert(kernels != nullptr);
  Active() = kernels;
}

}  // namespace paroquant::kernels
