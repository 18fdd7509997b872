// SIGUSR1 asks a command how far it is. A handler may do next to nothing, and a long product looks
// at nothing, so a thread looks out for the request.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_STATUS_WATCH_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_STATUS_WATCH_H_

#include <functional>
#include <stop_token>
#include <thread>

namespace paroquant::cli {

// From here on SIGUSR1 ends no command, whether it answers or not.
void TakeStatusRequests();

class StatusWatch {
 public:
  // Answers with how long the command runs and its memory: for those that know no more.
  StatusWatch();
  // Calls `answer` for each request, and `tick` a few times a second, both on the same thread.
  StatusWatch(std::function<void()> answer, std::function<void()> tick);

 private:
  void Run(const std::stop_token& stop) const;

  std::function<void()> answer_;
  std::function<void()> tick_;
  std::jthread thread_;  // the last member, so that it ends before the others
};

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_STATUS_WATCH_H_
