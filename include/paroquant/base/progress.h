// How long work tells that it moves. The library calls, the program decides what to show.
#ifndef PAROQUANT_BASE_PROGRESS_H_
#define PAROQUANT_BASE_PROGRESS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace paroquant {

// Work that is alike: what some of it took tells how long the rest will take.
struct Work {
  std::string kind;
  double amount = 0.0;  // by a plan, in any unit that all kinds of a phase have in common
};

class Progress {
 public:
  virtual ~Progress() = default;

  // A phase of `total` steps, all alike, begins.
  virtual void Start(const std::string& phase, int64_t total) = 0;
  // `steps` more are done; `note` says what was. May throw Error of kInterrupted: the work then
  // unwinds and leaves nothing half-written.
  virtual void Advance(int64_t steps, const std::string& note) = 0;
  virtual void Finish() = 0;

  // The same for steps that are not alike. A display that looks at none of this counts them.
  virtual void Plan(const std::string& phase, const std::vector<Work>& steps) {
    Start(phase, std::ssize(steps));
  }
  // All the time since the last call went into this.
  virtual void Complete(const Work& /*step*/, const std::string& note) { Advance(1, note); }
  // Work that need not be done after all. The time since the last call tells nothing of the rest.
  virtual void Skip(const Work& /*step*/) {}
  // Something may disappoint, and there is time yet to stop.
  virtual void Warn(const std::string& /*warning*/) {}
  // A part is done that people count in, such as a block of the model.
  virtual void Milestone(const std::string& /*note*/) {}
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
