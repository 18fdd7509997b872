#include "report/scale.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace paroquant::report {
namespace {

constexpr double kRound = 1e-9;  // of a step: what rounding may have moved a number by
constexpr std::array<double, 3> kMantissas = {1, 2, 5};

// The least of 1, 2, 5 times a power of ten that is not below `value`.
double RoundStep(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double mantissa : kMantissas) {
    if (mantissa * power >= value * (1 - kRound)) return mantissa * power;
  }
  return 10 * power;
}

}  // namespace

Scale::Scale(ScaleKind kind, const std::vector<double>& values) : kind_(kind) {
  double least = HUGE_VAL;
  double greatest = -HUGE_VAL;
  for (const double value : values) {
    if (!Shows(value)) continue;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  if (least > greatest) {
    least = kind == ScaleKind::kLogarithmic ? 1 : 0;
    greatest = least + 1;
  }
  if (kind == ScaleKind::kLogarithmic) {
    SetLogarithmic(least, greatest);
  } else {
    SetLinear(least, greatest);
  }
}

bool Scale::Shows(double value) const {
  return std::isfinite(value) && (kind_ != ScaleKind::kLogarithmic || value > 0);
}

double Scale::Mapped(double value) const {
  return kind_ == ScaleKind::kLogarithmic ? std::log10(value) : value;
}

double Scale::Place(double value) const { return (Mapped(value) - from_) / (to_ - from_); }

void Scale::SetLinear(double least, double greatest) {
  constexpr double kSteps = 5;
  if (greatest <= least) {
    double margin = std::abs(least) / 2;
    if (kind_ == ScaleKind::kWhole && least - 0.5 < least) margin = 0.5;  // nothing else is marked
    if (margin == 0) margin = 1;
    least -= margin;
    greatest += margin;
  }
  double step = RoundStep((greatest - least) / kSteps);
  if (kind_ == ScaleKind::kWhole) step = std::max(step, 1.0);
  double first = std::floor(least / step + kRound);
  double last = std::ceil(greatest / step - kRound);
  from_ = kind_ == ScaleKind::kWhole ? least : first * step;
  to_ = kind_ == ScaleKind::kWhole ? greatest : last * step;
  if (kind_ == ScaleKind::kWhole) {
    first = std::ceil(least / step - kRound);
    last = std::floor(greatest / step + kRound);
  }
  for (double i = first; i <= last; ++i) ticks_.push_back(i * step + 0.0);  // no -0
}

// Ends at 1, 2 or 5 times a power of ten; over more than two decades, which hold enough of these to
// mark, with the values.
void Scale::SetLogarithmic(double least, double greatest) {
  constexpr double kMostTicks = 6;
  const double first = std::floor(std::log10(least) + kRound);
  const double last = std::ceil(std::log10(greatest) - kRound);
  if (last - first > 2) {
    const double step = std::ceil((last - first) / kMostTicks);
    from_ = std::log10(least);
    to_ = std::log10(greatest);
    for (double i = first + 1; i <= to_ + kRound; i += step) ticks_.push_back(std::pow(10, i));
    if (ticks_.size() > 3) return;
    ticks_.clear();
    for (double power = first; power < last; ++power) {
      for (const double mantissa : kMantissas) {
        const double place = power + std::log10(mantissa);
        if (place >= from_ - kRound && place <= to_ + kRound) ticks_.push_back(std::pow(10, place));
      }
    }
    return;
  }
  for (double power = first; power <= last + 1; ++power) {
    for (const double mantissa : kMantissas) {
      const double tick = mantissa * std::pow(10, power);
      if (tick <= least * (1 + kRound)) ticks_.clear();  // one that is nearer comes
      ticks_.push_back(tick);
      const bool covers = tick >= greatest * (1 - kRound);
      if (covers && ticks_.size() > 1) {
        from_ = std::log10(ticks_.front());
        to_ = std::log10(ticks_.back());
        return;
      }
    }
  }
}

}  // namespace paroquant::report
