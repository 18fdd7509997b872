// Progress for people: one updating line on a terminal, a plain line now and then elsewhere.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_TERMINAL_PROGRESS_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_TERMINAL_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "paroquant/base/progress.h"

namespace paroquant::cli {

class TerminalProgress : public Progress {
 public:
  // From here on Ctrl-C and SIGTERM are requests that the next Advance answers with Error of
  // kInterrupted. Commands without progress leave nothing behind and just end.
  TerminalProgress(bool shown, bool updates_in_place);
  ~TerminalProgress() override;

  void Start(const std::string& phase, int64_t total) override;
  void Advance(int64_t steps, const std::string& note) override;
  void Finish() override;

 private:
  using Clock = std::chrono::steady_clock;

  void Show(bool last);

  bool shown_;
  bool updates_in_place_;
  bool line_open_ = false;
  std::string phase_;
  std::string note_;
  int64_t done_ = 0;
  int64_t total_ = 0;
  Clock::time_point started_;
  Clock::time_point last_shown_;
};

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_TERMINAL_PROGRESS_H_
