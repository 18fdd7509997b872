// A fork-join loop over independent work items. Callers cut the work by its shape, never by the
// number of threads, so results are the same bits whatever that number is.
#ifndef PAROQUANT_BASE_PARALLEL_H_
#define PAROQUANT_BASE_PARALLEL_H_

#include <cstdint>
#include <functional>

namespace paroquant {

// The number of cores this process may run on (by its affinity mask, not the machine's count). The
// threads of a core count once: they share its arithmetic, which the kernels keep busy.
int AvailableCores();

// Sets how many threads ParallelFor uses, the calling one included. Default: AvailableCores().
// Not to be called while a ParallelFor runs.
void SetThreadCount(int count);
int ThreadCount();

// Calls body(i) for every i in [0, count), each exactly once, in any order and on any thread, and
// returns when all are done. A call from inside a body runs its items on the calling thread.
// If bodies throw, later items may be skipped and the exception of the lowest index that throws is
// rethrown here.
void ParallelFor(int64_t count, const std::function<void(int64_t)>& body);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_PARALLEL_H_
