#include "base/reserve_space.h"

#include <fcntl.h>

#include <cerrno>

namespace paroquant {

int ReserveSpace(int descriptor, uint64_t bytes) {
  int error = EINTR;  // which a signal leaves, and errno does not tell
  while (error == EINTR) error = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  return error;
}

}  // namespace paroquant
