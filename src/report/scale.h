// Where numbers lie along an axis, and which of them are marked there.
#ifndef PAROQUANT_REPORT_SCALE_H_
#define PAROQUANT_REPORT_SCALE_H_

#include <vector>

namespace paroquant::report {

enum class ScaleKind {
  kLinear,
  kWhole,  // linear, with whole numbers at the ticks
  kLogarithmic,
};

class Scale {
 public:
  // Covers `values`; those that are not finite, or not above 0 on a logarithmic scale, count for
  // nothing. The ends are round numbers, but for kWhole and for
  // more than two decades, which end with the values.
  Scale(ScaleKind kind, const std::vector<double>& values);

  // Has the value a place here?
  bool Shows(double value) const;
  // From 0 at the lower end to 1 at the upper one.
  double Place(double value) const;
  // Two at least; of a single whole number that one.
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  void SetLinear(double least, double greatest);
  void SetLogarithmic(double least, double greatest);
  double Mapped(double value) const;

  ScaleKind kind_;
  double from_ = 0;  // the ends, as Mapped has them
  double to_ = 1;
  std::vector<double> ticks_;
};

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_SCALE_H_
