#include "terminal_progress.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <iostream>

#include "log_file.h"
#include "paroquant/base/error.h"
#include "paroquant/base/printable.h"
#include "paroquant/base/quantity_text.h"

namespace paroquant::cli {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kUpdateInterval = 0.1;
// Between plain lines: a run of many hours need not fill its log.
constexpr double kLeastLogInterval = 10.0;
constexpr double kMostLogInterval = 300.0;
constexpr double kLogLines = 30.0;  // of a run of middle length

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

void OnSignal(int signal) {
  interrupted = true;
  // A second signal ends the program the usual way.
  std::signal(signal, SIG_DFL);
}

// The last column stays free: some terminals wrap when it is written to.
size_t UsableColumns() {
  constexpr size_t kUsual = 80;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return (known ? size.ws_col : kUsual) - 1;
}

}  // namespace

TerminalProgress::TerminalProgress(const ProgressDisplay& display)
    : display_(display),
      born_(Clock::now()),
      started_(born_),
      last_step_(born_),
      last_shown_(born_),
      watch_([this] { Answer(); }, [this] { Tick(); }) {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
}

TerminalProgress::~TerminalProgress() {
  const std::lock_guard lock(mutex_);
  working_ = false;
  if (line_open_) std::cerr << "\n";
}

void TerminalProgress::Start(const std::string& phase, int64_t total) {
  const std::lock_guard lock(mutex_);
  total_ = total;
  Begin(phase, {{"", static_cast<double>(total)}});
}

void TerminalProgress::Plan(const std::string& phase, const std::vector<Work>& steps) {
  const std::lock_guard lock(mutex_);
  total_ = 0;
  Begin(phase, steps);
}

void TerminalProgress::Begin(const std::string& phase, const std::vector<Work>& steps) {
  phase_ = phase;
  note_.clear();
  done_ = 0;
  part_ = 0.0;
  left_ = TimeLeft(steps);
  working_ = true;
  started_ = last_step_ = last_shown_ = Clock::now();
  LogToFile(spdlog::level::debug, phase + ": begins");
}

void TerminalProgress::Advance(int64_t steps, const std::string& note) {
  {
    const std::lock_guard lock(mutex_);
    done_ += steps;
  }
  Complete({"", static_cast<double>(steps)}, note);
}

void TerminalProgress::Complete(const Work& step, const std::string& note) {
  const std::lock_guard lock(mutex_);
  if (interrupted) {
    throw Error(ErrorKind::kInterrupted, {.where = phase_,
                                          .expected = "to finish",
                                          .found = "a request to stop",
                                          .hint = "Nothing half-written was left behind."});
  }
  if (step.amount > 0) {
    const Clock::time_point now = Clock::now();
    left_.Done(step, Seconds(now - last_step_).count());
    last_step_ = now;
  }
  Note(note);
  ShowIfDue();
}

void TerminalProgress::Skip(const Work& step) {
  const std::lock_guard lock(mutex_);
  left_.Drop(step);
  last_step_ = Clock::now();
}

void TerminalProgress::Milestone(const std::string& note) {
  const std::lock_guard lock(mutex_);
  Note(note);
  if (!display_.updates_in_place) Show();
}

void TerminalProgress::Warn(const std::string& warning) {
  const std::lock_guard lock(mutex_);
  ClearLine();
  spdlog::warn("{}", warning);
}

void TerminalProgress::Finish() {
  const std::lock_guard lock(mutex_);
  left_ = TimeLeft();
  done_ = total_;
  working_ = false;
  LogToFile(spdlog::level::debug, PlainLine(Now()));
  Show();
  if (line_open_) std::cerr << "\n";
  line_open_ = false;
}

void TerminalProgress::Note(const std::string& note) {
  const std::string printable = Printable(note);  // it may have a name from a file
  if (note.empty() || printable == note_) return;
  note_ = printable;
  LogToFile(spdlog::level::debug, PlainLine(Now()));
}

Status TerminalProgress::Now() {
  const Clock::time_point now = Clock::now();
  Status status{.phase = phase_,
                .position = "",
                .note = note_,
                .elapsed = Seconds(now - started_).count(),
                .left = left_.Seconds()};
  if (status.left) {
    *status.left = std::max(0.0, *status.left - Seconds(now - last_step_).count());
  }
  // Of the time, as steps differ. Until one is done nobody knows.
  if (status.left) {
    part_ = std::max(part_, std::min(0.99, status.elapsed / (status.elapsed + *status.left)));
  }
  status.position = total_ > 0 ? fmt::format("{}/{}", done_, total_)
                               : fmt::format("{:.0f}%", working_ ? std::floor(100 * part_) : 100.0);
  return status;
}

void TerminalProgress::Show() {
  if (!display_.shown) return;
  last_shown_ = Clock::now();
  if (display_.updates_in_place) {
    ShowInPlace();
  } else {
    ShowPlain();
  }
}

void TerminalProgress::ShowInPlace() {
  // Carriage return, the line, and "erase to its end".
  std::cerr << "\r" << ShortLine(Now(), UsableColumns()) << "\033[K" << std::flush;
  line_open_ = true;
}

void TerminalProgress::ShowPlain() { std::cerr << PlainLine(Now()) << "\n"; }

void TerminalProgress::ShowIfDue() {
  const double elapsed = Seconds(Clock::now() - started_).count();
  const double interval =
      display_.updates_in_place
          ? kUpdateInterval
          : std::clamp(elapsed / kLogLines, kLeastLogInterval, kMostLogInterval);
  if (Seconds(Clock::now() - last_shown_).count() >= interval) Show();
}

void TerminalProgress::Answer() {
  const std::lock_guard lock(mutex_);
  const std::string place = working_ ? PlainLine(Now())
                                     : fmt::format("{}, {} elapsed", phase_,
                                                   Duration(Seconds(Clock::now() - born_).count()));
  const std::string answer =
      fmt::format("paroquant: {}, {}", place, MemoryBounds(display_.memory_budget));
  ClearLine();
  std::cerr << answer << "\n" << std::flush;
  LogToFile(spdlog::level::info, answer);
}

void TerminalProgress::ClearLine() {
  if (line_open_) std::cerr << "\r\033[K" << std::flush;
  line_open_ = false;
}

void TerminalProgress::Tick() {
  const std::lock_guard lock(mutex_);
  if (working_) ShowIfDue();
}

}  // namespace paroquant::cli
