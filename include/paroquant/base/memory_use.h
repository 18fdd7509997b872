// What this process has of the machine's memory, and what is left of it.
#ifndef PAROQUANT_BASE_MEMORY_USE_H_
#define PAROQUANT_BASE_MEMORY_USE_H_

#include <cstdint>

namespace paroquant {

// Bytes that are resident now, and the most that ever were. Pages of mapped files count as long as
// the system keeps them.
int64_t ResidentMemory();
int64_t PeakResidentMemory();

// Gives the system what was freed but kept for the next allocation. Without it many pieces of some
// megabytes, freed one by one, stay resident beside the large ones that follow.
void ReleaseFreedMemory();

// Bytes that the machine and the control groups of this process let it have in all.
uint64_t MemoryLimit();
// Bytes that could be taken now without pushing others out; never more than MemoryLimit().
uint64_t AvailableMemory();

}  // namespace paroquant

#endif  // PAROQUANT_BASE_MEMORY_USE_H_
