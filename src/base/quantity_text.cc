#include "paroquant/base/quantity_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace paroquant {

std::string ByteCount(int64_t bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  double number = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  // What would be rounded to 1000 is 1 of the next unit.
  for (; number >= 999.5 && unit + 1 < kUnits.size(); ++unit) number /= 1000;
  const int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", number, decimals, kUnits[unit]);
}

std::string Duration(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.{}f} s", seconds, seconds < 0.995 ? 2 : 1);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

std::string Counted(int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace paroquant
