// How long work tells that it moves. The library calls, the program decides what to show.
#ifndef PAROQUANT_BASE_PROGRESS_H_
#define PAROQUANT_BASE_PROGRESS_H_

#include <cstdint>
#include <string>

namespace paroquant {

class Progress {
 public:
  virtual ~Progress() = default;

  // A phase of `total` steps begins.
  virtual void Start(const std::string& phase, int64_t total) = 0;
  // `steps` more are done; `note` says what was. May throw Error of kInterrupted: the work then
  // unwinds and leaves nothing half-written.
  virtual void Advance(int64_t steps, const std::string& note) = 0;
  virtual void Finish() = 0;
};

// Shows nothing.
class NoProgress : public Progress {
 public:
  void Start(const std::string& /*phase*/, int64_t /*total*/) override {}
  void Advance(int64_t /*steps*/, const std::string& /*note*/) override {}
  void Finish() override {}
};

}  // namespace paroquant

#endif  // PAROQUANT_BASE_PROGRESS_H_
