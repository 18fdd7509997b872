// How long the rest of some work will take, from a plan and what its parts have taken so far.
#ifndef PAROQUANT_BASE_TIME_LEFT_H_
#define PAROQUANT_BASE_TIME_LEFT_H_

#include <map>
#include <optional>
#include <span>
#include <string>

#include "paroquant/base/progress.h"

namespace paroquant {

// Each kind of work has a speed of its own, which is measured while it is done; of a kind that has
// not been met yet the plan tells how long it takes beside the others. So a plan need not know how
// long anything takes, and where it is wrong about a kind that does no harm once some of that kind
// is done. What was measured long ago counts less: a machine has others to serve too.
class TimeLeft {
 public:
  TimeLeft() = default;
  explicit TimeLeft(std::span<const Work> ahead);

  // Took this many seconds. May be more than was planned.
  void Done(const Work& work, double seconds);
  // Will not be done.
  void Drop(const Work& work);

  // Nothing until something was measured.
  std::optional<double> Seconds() const;

 private:
  struct Kind {
    double planned = 0.0;
    double ahead = 0.0;
    // Measured, with what is long ago counted less.
    double amount = 0.0;
    double seconds = 0.0;
  };

  std::map<std::string, Kind> kinds_;
};

}  // namespace paroquant

#endif  // PAROQUANT_BASE_TIME_LEFT_H_
