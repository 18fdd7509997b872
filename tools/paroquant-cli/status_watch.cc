#include "status_watch.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <utility>

#include "paroquant/base/quantity_text.h"
#include "paroquant/base/stopwatch.h"
#include "status_line.h"

namespace paroquant::cli {
namespace {

constexpr std::chrono::milliseconds kTick{200};

std::atomic<bool> requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

void OnStatusSignal(int /*signal*/) { requested = true; }

}  // namespace

void TakeStatusRequests() { std::signal(SIGUSR1, OnStatusSignal); }

StatusWatch::StatusWatch()
    : StatusWatch(
          [watch = Stopwatch()] {
            std::cerr << fmt::format("paroquant: {} elapsed, {}\n", Duration(watch.Seconds()),
                                     MemoryBounds(/*budget=*/0));
          },
          [] {}) {}

StatusWatch::StatusWatch(std::function<void()> answer, std::function<void()> tick)
    : answer_(std::move(answer)), tick_(std::move(tick)) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  } catch (const std::system_error&) {
    // No thread to be had: the command goes on, unwatched.
  }
}

void StatusWatch::Run(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stopped.wait_for(lock, stop, kTick, [&] { return stop.stop_requested(); })) {
    if (requested.exchange(false)) answer_();
    tick_();
  }
}

}  // namespace paroquant::cli
