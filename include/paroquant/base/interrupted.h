// System calls that a signal may interrupt.
#ifndef PAROQUANT_BASE_INTERRUPTED_H_
#define PAROQUANT_BASE_INTERRUPTED_H_

#include <cerrno>

namespace paroquant {

// What `call`, which returns a negative number and sets errno where it fails, returns when no
// signal interrupts it.
template <typename Call>
auto RetryInterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace paroquant

#endif  // PAROQUANT_BASE_INTERRUPTED_H_
