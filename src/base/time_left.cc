#include "paroquant/base/time_left.h"

#include <algorithm>
#include <cmath>

namespace paroquant {
namespace {

// The part of a kind's work after which a measurement counts 1/e of a new one.
constexpr double kMemory = 0.125;

}  // namespace

TimeLeft::TimeLeft(std::span<const Work> ahead) {
  for (const Work& work : ahead) {
    kinds_[work.kind].planned += work.amount;
    kinds_[work.kind].ahead += work.amount;
  }
}

void TimeLeft::Done(const Work& work, double seconds) {
  if (work.amount <= 0) return;
  Kind& kind = kinds_[work.kind];
  const double kept = kind.planned > 0 ? std::exp(-work.amount / (kMemory * kind.planned)) : 1.0;
  kind.amount = kept * kind.amount + work.amount;
  kind.seconds = kept * kind.seconds + seconds;
  Drop(work);
}

void TimeLeft::Drop(const Work& work) {
  Kind& kind = kinds_[work.kind];
  kind.ahead = std::max(0.0, kind.ahead - work.amount);
}

std::optional<double> TimeLeft::Seconds() const {
  double amount = 0.0;
  double seconds = 0.0;
  double left = 0.0;      // of kinds that were measured
  double unmeasured = 0;  // work of the others
  for (const auto& [name, kind] : kinds_) {
    amount += kind.amount;
    seconds += kind.seconds;
    if (kind.amount > 0) {
      left += kind.ahead * kind.seconds / kind.amount;
    } else {
      unmeasured += kind.ahead;
    }
  }
  if (amount <= 0) return std::nullopt;
  return left + unmeasured * seconds / amount;
}

}  // namespace paroquant
