// How far a command is, in words.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_STATUS_LINE_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_STATUS_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace paroquant::cli {

struct Status {
  std::string phase;
  std::string position;  // "12/931" or "41%"
  std::string note;      // what was done last
  double elapsed = 0.0;
  std::optional<double> left;
};

// All of it.
std::string PlainLine(const Status& status);
// As much of it as fits, the most important first. Never more than `columns` long.
std::string ShortLine(const Status& status, size_t columns);
// Beside the memory that is used now: the most that was, and the budget for activations if there is
// one.
std::string MemoryBounds(uint64_t budget);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_STATUS_LINE_H_
