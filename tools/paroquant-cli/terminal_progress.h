// Progress for people: one updating line on a terminal, a plain line now and then elsewhere, and an
// answer to SIGUSR1.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_TERMINAL_PROGRESS_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_TERMINAL_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "paroquant/base/progress.h"
#include "paroquant/base/time_left.h"
#include "status_line.h"
#include "status_watch.h"

namespace paroquant::cli {

struct ProgressDisplay {
  bool shown = true;  // answers and the log file apart
  bool updates_in_place = false;
  uint64_t memory_budget = 0;  // for activations, to tell; or none
};

class TerminalProgress : public Progress {
 public:
  // From here on Ctrl-C and SIGTERM are requests that the next step answers with Error of
  // kInterrupted. Commands without progress leave nothing behind and just end.
  explicit TerminalProgress(const ProgressDisplay& display);
  ~TerminalProgress() override;

  void Start(const std::string& phase, int64_t total) override;
  void Advance(int64_t steps, const std::string& note) override;
  void Finish() override;
  void Plan(const std::string& phase, const std::vector<Work>& steps) override;
  void Complete(const Work& step, const std::string& note) override;
  void Skip(const Work& step) override;
  void Warn(const std::string& warning) override;
  void Milestone(const std::string& note) override;

 private:
  using Clock = std::chrono::steady_clock;

  // All of these with the lock held.
  void Begin(const std::string& phase, const std::vector<Work>& steps);
  void Note(const std::string& note);
  Status Now();
  void Show();
  void ShowIfDue();
  void ShowInPlace();
  void ShowPlain();
  void ClearLine();

  // On the watch's thread.
  void Answer();
  void Tick();

  const ProgressDisplay display_;
  std::mutex mutex_;
  bool line_open_ = false;
  bool working_ = false;  // between the beginning and the end of a phase
  std::string phase_ = "starting";
  std::string note_;
  int64_t done_ = 0;
  int64_t total_ = 0;  // of steps that are counted, or 0
  TimeLeft left_;
  double part_ = 0.0;  // of the time, as last told: it never falls
  const Clock::time_point born_;
  Clock::time_point started_;    // the phase
  Clock::time_point last_step_;  // was done then
  Clock::time_point last_shown_;
  StatusWatch watch_;  // the last member, so that it ends before the others
};

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_TERMINAL_PROGRESS_H_
