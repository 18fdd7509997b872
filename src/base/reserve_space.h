// Room on a disk before anything is written.
#ifndef PAROQUANT_BASE_RESERVE_SPACE_H_
#define PAROQUANT_BASE_RESERVE_SPACE_H_

#include <cstdint>

namespace paroquant {

// Makes the open file at least `bytes` long, with room for all of it. 0, or the system's error.
int ReserveSpace(int descriptor, uint64_t bytes);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_RESERVE_SPACE_H_
