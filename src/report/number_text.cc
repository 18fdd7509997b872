#include "report/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace paroquant::report {
namespace {

struct Prefix {
  double factor;
  const char* name;
};

// "1.2e-06" without what fills the exponent up.
std::string Scientific(double value, int digits) {
  std::string text = fmt::format("{:.{}e}", value, digits - 1);
  const size_t sign = text.find('e') + 1;
  while (text[sign + 1] == '0') text.erase(sign + 1, 1);
  if (text[sign] == '+') text.erase(sign, 1);
  return text;
}

}  // namespace

std::string Significant(double value, int digits) {
  if (!std::isfinite(value)) return kNoNumber;
  if (value == 0) return "0";
  const double magnitude = std::floor(std::log10(std::abs(value)));
  if (magnitude < -4 || magnitude > 9) return Scientific(value, digits);
  return fmt::format("{:.{}f}", value, std::max(0, digits - 1 - static_cast<int>(magnitude)));
}

std::string Percent(double share) {
  return std::isfinite(share) ? Significant(100 * share) + "\u00a0%" : kNoNumber;
}

std::string TickLabel(double value) {
  constexpr std::array<Prefix, 3> kPrefixes = {{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  const double size = std::abs(value);
  for (const Prefix& prefix : kPrefixes) {
    if (size >= prefix.factor) return fmt::format("{:.6g}{}", value / prefix.factor, prefix.name);
  }
  if (size != 0 && size < 1e-3) return Scientific(value, 1);
  return fmt::format("{:.6g}", value);
}

}  // namespace paroquant::report
