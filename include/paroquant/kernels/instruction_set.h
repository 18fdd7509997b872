// Which instructions the inner loops use. They are compiled for several instruction sets, and the
// best one of the machine is chosen when the program starts.
#ifndef PAROQUANT_KERNELS_INSTRUCTION_SET_H_
#define PAROQUANT_KERNELS_INSTRUCTION_SET_H_

#include <string>
#include <vector>

namespace paroquant::kernels {

// Names of what this machine can run, the best first: "avx512", "avx2", "portable".
std::vector<std::string> SupportedInstructionSets();

// The one in use. The environment variable PAROQUANT_INSTRUCTIONS may name one of the above; a name
// that is none of them is ignored.
std::string ActiveInstructionSet();

}  // namespace paroquant::kernels

#endif  // PAROQUANT_KERNELS_INSTRUCTION_SET_H_
