#include "standard_output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <string>

#include "log_file.h"
#include "paroquant/base/error.h"
#include "paroquant/base/printable.h"

namespace paroquant::cli {
namespace {

bool NobodyReadsOn() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&output, 1, /*timeout=*/0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace

void WriteLine(std::string_view line) {
  std::cout << Printable(line) << "\n";
  LogToFile(spdlog::level::info, line);
}

void PrintLines(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    WriteLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void PrintTable(const TextTable& table) {
  for (const std::string& line : table.Lines()) WriteLine(line);
}

void RequireOutputTaken() {
  if (std::cout.flush()) return;
  if (NobodyReadsOn()) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  throw Error(ErrorKind::kSystem, {.where = "standard output",
                                   .expected = "to write all of the result",
                                   .found = "a full disk or a closed file",
                                   .hint = "Free space on its disk, or send it elsewhere."});
}

}  // namespace paroquant::cli
