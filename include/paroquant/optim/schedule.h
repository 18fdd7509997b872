// Learning rates over the steps of a run.
#ifndef PAROQUANT_OPTIM_SCHEDULE_H_
#define PAROQUANT_OPTIM_SCHEDULE_H_

#include <cstdint>

namespace paroquant::optim {

// Half a cosine from `start` at step 0 towards `end` at step `steps` (arXiv 1608.03983, without
// restarts).
double CosineRate(double start, double end, int64_t step, int64_t steps);

}  // namespace paroquant::optim

#endif  // PAROQUANT_OPTIM_SCHEDULE_H_
