#include "terminal_progress.h"

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <iostream>

#include "paroquant/base/error.h"

namespace paroquant::cli {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kUpdateInterval{0.1};
constexpr Seconds kLogInterval{15.0};

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

void OnSignal(int signal) {
  interrupted = true;
  // A second signal ends the program the usual way.
  std::signal(signal, SIG_DFL);
}

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

}  // namespace

TerminalProgress::TerminalProgress(bool shown, bool updates_in_place)
    : shown_(shown), updates_in_place_(updates_in_place) {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
}

TerminalProgress::~TerminalProgress() {
  if (line_open_) std::cerr << "\n";
}

void TerminalProgress::Start(const std::string& phase, int64_t total) {
  phase_ = phase;
  note_.clear();
  done_ = 0;
  total_ = total;
  started_ = last_shown_ = Clock::now();
}

void TerminalProgress::Advance(int64_t steps, const std::string& note) {
  if (interrupted) {
    throw Error(ErrorKind::kInterrupted, {.where = phase_,
                                          .expected = "to finish",
                                          .found = "a request to stop",
                                          .hint = "Nothing half-written was left behind."});
  }
  done_ += steps;
  if (!note.empty()) note_ = note;
  const Seconds interval = updates_in_place_ ? kUpdateInterval : kLogInterval;
  if (Clock::now() - last_shown_ >= interval) Show(/*last=*/false);
}

void TerminalProgress::Finish() { Show(/*last=*/true); }

void TerminalProgress::Show(bool last) {
  if (!shown_) return;
  last_shown_ = Clock::now();
  const double elapsed = Seconds(last_shown_ - started_).count();
  std::string line = fmt::format("{}: {}/{}, {}", phase_, done_, total_, Duration(elapsed));
  if (!last && done_ > 0) {
    const double left = elapsed * static_cast<double>(total_ - done_) / static_cast<double>(done_);
    line += fmt::format(", {} left", Duration(left));
  }
  if (!note_.empty()) line += ", " + note_;
  if (updates_in_place_) {
    // Carriage return, the line, and "erase to its end".
    std::cerr << "\r" << line << "\033[K" << (last ? "\n" : "") << std::flush;
    line_open_ = !last;
  } else {
    std::cerr << line << "\n";
  }
}

}  // namespace paroquant::cli
