#include "paroquant/base/parallel.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "base/topology.h"
#include "paroquant/base/error.h"

namespace paroquant {
namespace {

// Set while a thread runs a body, so that a nested loop stays on its thread.
thread_local bool inside_body = false;

// One ParallelFor: a counter that hands out items, and the first failure.
class Loop {
 public:
  Loop(int64_t count, const std::function<void(int64_t)>& body) : count_(count), body_(body) {}

  void RunItems() {
    inside_body = true;
    // Items below a failed one still run, so that the failure reported is always the same.
    for (int64_t i = next_++; i < count_ && i < failed_index_; i = next_++) {
      try {
        body_(i);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (i < failed_index_) {
          failure_ = std::current_exception();
          failed_index_ = i;
        }
      }
    }
    inside_body = false;
  }

  void RethrowFailure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const int64_t count_;
  const std::function<void(int64_t)>& body_;
  std::atomic<int64_t> next_{0};
  std::atomic<int64_t> failed_index_{std::numeric_limits<int64_t>::max()};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

// Waits for a short time, as loops often follow each other closely and waking a thread up takes
// longer than many of them; other programs may have the processor meanwhile. False if in vain.
template <typename Condition>
bool AwaitBriefly(const Condition& condition) {
  constexpr int kLooks = 64;  // between those that cost a system call
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  do {
    for (int look = 0; look < kLooks; ++look) {
      if (condition()) return true;
    }
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// A door to each loop in turn, in one word, so that a thread that comes too late finds it closed.
class Gate {
 public:
  // All have left the loop before.
  void Open() { word_ = (word_ / kGeneration + 1) * kGeneration + kOpen; }
  // Nobody enters any more.
  void Close() { word_ -= kOpen; }
  bool IsEmpty() const { return word_ % kOpen == 0; }

  // Whether a loop can be entered that is not the one of this generation.
  bool IsOpenAfter(uint64_t generation) const { return CanEnter(word_, generation); }
  // Enters it and remembers its generation; false if it has closed meanwhile.
  bool Enter(uint64_t& generation) {
    for (uint64_t word = word_; CanEnter(word, generation);) {
      if (!word_.compare_exchange_weak(word, word + 1)) continue;
      generation = word / kGeneration;
      return true;
    }
    return false;
  }
  void Leave() { --word_; }

 private:
  static constexpr uint64_t kOpen = 1U << 16;  // below: the number of threads inside
  static constexpr uint64_t kGeneration = 2 * kOpen;

  static bool CanEnter(uint64_t word, uint64_t generation) {
    return word % kGeneration >= kOpen && word / kGeneration != generation;
  }

  std::atomic<uint64_t> word_ = 0;
};

// Threads that wait for a loop and help with it. The caller waits for those that do, not for those
// that other programs keep from the processor until all items are taken. While loops follow each
// other closely nobody takes the mutex: it is for those who have gone to sleep. They tell that they
// will before they look for the last time, and others look for sleepers after they have changed
// what those see.
class Pool {
 public:
  explicit Pool(int helpers) {
    try {
      for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { Work(); });
    } catch (const std::bad_alloc&) {
      Stop();
      throw;
    } catch (const std::system_error& error) {
      Stop();
      throw Error(ErrorKind::kSystem, {.where = "threads",
                                       .expected = fmt::format("to start {}", helpers + 1),
                                       .found = error.what(),
                                       .hint = "Ask for fewer with --threads."});
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { Stop(); }

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  void Run(Loop& loop) {
    loop_ = &loop;
    gate_.Open();
    if (sleeping_ > 0) Notify(wake_);
    loop.RunItems();
    gate_.Close();
    const auto done = [this] { return gate_.IsEmpty(); };
    if (AwaitBriefly(done)) return;
    std::unique_lock lock(mutex_);
    waiting_ = true;
    done_.wait(lock, done);
    waiting_ = false;
  }

 private:
  // The mutex is free only while sleepers wait for it, or before they look for the last time.
  void Notify(std::condition_variable& condition) {
    { const std::lock_guard lock(mutex_); }
    condition.notify_all();
  }

  void Stop() {
    stopping_ = true;
    Notify(wake_);
    for (std::thread& thread : threads_) thread.join();
  }

  void Work() {
    uint64_t seen = 0;
    const auto called = [&] { return stopping_ || gate_.IsOpenAfter(seen); };
    while (true) {
      if (!AwaitBriefly(called)) {
        std::unique_lock lock(mutex_);
        ++sleeping_;
        wake_.wait(lock, called);
        --sleeping_;
      }
      if (stopping_) return;
      if (!gate_.Enter(seen)) continue;
      loop_->RunItems();
      gate_.Leave();
      if (waiting_) Notify(done_);
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  Loop* loop_ = nullptr;  // behind the gate
  Gate gate_;
  std::atomic<int> sleeping_ = 0;      // threads that wait for the next one with the mutex
  std::atomic<bool> waiting_ = false;  // the caller does, with the mutex
  std::atomic<bool> stopping_ = false;
};

std::mutex pool_mutex;  // one ParallelFor at a time
std::unique_ptr<Pool> pool;
int requested_threads = 0;

}  // namespace

int AvailableCores() {
  static const int cores = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
      return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
    std::vector<int> processors;
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &set)) processors.push_back(i);
    }
    return CountCores(processors, "/sys/devices/system/cpu");
  }();
  return cores;
}

void SetThreadCount(int count) {
  const std::lock_guard lock(pool_mutex);
  requested_threads = std::max(1, count);
  pool.reset();
}

int ThreadCount() { return requested_threads > 0 ? requested_threads : AvailableCores(); }

void ParallelFor(int64_t count, const std::function<void(int64_t)>& body) {
  if (inside_body || count <= 1 || ThreadCount() == 1) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  const std::lock_guard lock(pool_mutex);
  if (!pool || pool->size() != ThreadCount()) pool = std::make_unique<Pool>(ThreadCount() - 1);
  Loop loop(count, body);
  pool->Run(loop);
  loop.RethrowFailure();
}

}  // namespace paroquant
