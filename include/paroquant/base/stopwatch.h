// How long something takes.
#ifndef PAROQUANT_BASE_STOPWATCH_H_
#define PAROQUANT_BASE_STOPWATCH_H_

#include <chrono>

namespace paroquant {

class Stopwatch {
 public:
  // Since it was made, by a clock that nobody sets.
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace paroquant

#endif  // PAROQUANT_BASE_STOPWATCH_H_
