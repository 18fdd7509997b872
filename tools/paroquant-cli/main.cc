// The command line: parse, run, and turn every fault into one message and one exit code.
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "help_text.h"
#include "log_file.h"
#include "paroquant/base/error.h"
#include "paroquant/base/mapping.h"
#include "paroquant/base/printable.h"
#include "paroquant/base/version.h"
#include "paroquant/kernels/instruction_set.h"
#include "standard_output.h"
#include "status_watch.h"
#include "text_layout.h"
#include "usage_error.h"

namespace paroquant::cli {
namespace {

int Fail(ErrorKind kind, std::string_view message) {
  std::cerr << "paroquant: " << Printable(message) << "\n";
  LogToFile(spdlog::level::err, message);
  return static_cast<int>(kind);
}

const char* activity = "the start";  // or the command

void WriteToError(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

// Where there may be no memory for a message either, or a signal may have come between: it is
// written as it is.
int FailAtOnce(std::span<const std::string_view> message) {
  WriteToError("paroquant: ");
  for (const std::string_view part : message) WriteToError(part);
  WriteToError("\n");
  LogWithoutMemory(message);
  return static_cast<int>(ErrorKind::kSystem);
}

int FailWithoutMemory() {
  return FailAtOnce(
      std::array<std::string_view, 3>{"memory: expected enough of it for ", activity,
                                      ", found Cannot allocate memory. Free memory or use a bigger "
                                      "machine."});
}

std::atomic<bool> memory_is_short = false;

// A mapped file was cut by somebody else, or its disk failed.
void OnUnreadableMapping(int signal, siginfo_t* info, void* /*context*/) {
  static std::atomic_flag explaining;
  while (explaining.test_and_set()) ::pause();  // another thread ends the program
  static std::array<char, 4096> storage;
  const bool sent = info->si_code <= 0;  // by a process: no address belongs to it
  const std::string_view file = sent ? "" : MappedFileAt(info->si_addr, storage);
  if (file.empty()) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  std::ranges::replace_if(
      storage, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  const std::array<std::string_view, 2> message = {
      file,
      ": expected to read it as it was opened, found bytes missing: it was cut short meanwhile, or "
      "its disk fails. Leave the file alone while it is read, or check the disk."};
  std::_Exit(FailAtOnce(message));
}

void ExplainUnreadableMappings() {
  struct sigaction action = {};
  action.sa_sigaction = OnUnreadableMapping;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigaction(SIGBUS, &action, nullptr);
}

// For want of memory where no handler is in reach: before main, in the destructor of JSON, which
// needs some itself, and for an exception. What is left then is what a killed run leaves.
[[noreturn]] void OnTerminate() {
  try {
    if (const auto exception = std::current_exception()) std::rethrow_exception(exception);
  } catch (const std::bad_alloc&) {
    std::_Exit(FailWithoutMemory());
  } catch (...) {
    std::abort();  // our own fault, of which a core file tells more than a message
  }
  if (memory_is_short) std::_Exit(FailWithoutMemory());
  std::abort();
}

// Before all other initialisation of this program.
[[gnu::constructor(101)]] void SetHandlers() {
  std::set_terminate(OnTerminate);
  std::set_new_handler([] {
    memory_is_short = true;
    throw std::bad_alloc();
  });
}

int PrintHelp(const CLI::App& app, HelpScope scope) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  std::cout << HelpText(chosen.empty() ? app : *chosen.back(), scope, OutputColumns());
  return 0;
}

// The version and what the inner loops were compiled for.
std::string VersionText() {
  const std::string instructions = kernels::ActiveInstructionSet();
  return fmt::format("paroquant {}\nkernels: {}{}", kVersion, instructions,
                     instructions == "portable"
                         ? " (none for this processor: all work takes several times as long)"
                         : "");
}

// As CLI11 takes them. "help" and "help COMMAND" mean what they do elsewhere.
std::vector<std::string> WordsBackwards(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == "help") {
    std::rotate(words.begin(), words.begin() + 1, words.end());
    words.back() = "--help";
  }
  std::ranges::reverse(words);
  return words;
}

int ParseAndRun(int argc, char** argv) {
  CLI::App app{"Turns 16-bit language models into 4-bit ones that stay as good.", "paroquant"};
  app.set_help_flag("-h,--help", "show this help");
  app.set_help_all_flag("--help-all", "show all options");
  app.set_version_flag("--version", VersionText, "show the version and the instructions it uses");
  app.allow_extras();
  // What follows a command is its own, even if it is the name of another one.
  app.require_subcommand(0, 1);
  std::map<const CLI::App*, Run> runs;
  for (const Command& command : Commands()) {
    CLI::App* subcommand = app.add_subcommand(command.name, command.summary);
    subcommand->allow_extras();
    runs[subcommand] = command.declare(*subcommand);
  }
  try {
    app.parse(WordsBackwards(argc, argv));
  } catch (const CLI::CallForHelp&) {
    if (app.get_subcommands().empty()) RequireNoExtras(app);  // such as a mistyped command
    return PrintHelp(app, HelpScope::kCommon);
  } catch (const CLI::CallForAllHelp&) {
    if (app.get_subcommands().empty()) RequireNoExtras(app);
    return PrintHelp(app, HelpScope::kAll);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --version
    RequireNoExtras(app);  // an unknown option explains a "required" error better than it does
    throw UsageError(app, error);
  }
  RequireNoExtras(app);
  if (app.get_subcommands().empty()) {
    std::cerr << HelpText(app, HelpScope::kCommon, OutputColumns());
    return static_cast<int>(ErrorKind::kUsage);
  }
  return runs.at(app.get_subcommands().front())();
}

// Activations of one layer are freed and asked for again in the next. Handing them back to the
// system in between costs a tenth of the time of an evaluation in page faults.
void KeepFreedMemory() {
  constexpr int kBytes = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kBytes);
  mallopt(M_TRIM_THRESHOLD, kBytes);
}

// Gives a standard stream that is closed to /dev/null, which takes nothing. Otherwise the next file
// that is opened would get its number, and what is printed would end up in that file.
void OpenStandardStreams() {
  while (true) {
    const int descriptor = ::open("/dev/null", O_RDONLY);
    if (descriptor > STDERR_FILENO) ::close(descriptor);
    if (descriptor < 0 || descriptor > STDERR_FILENO) return;
  }
}

// Matrix products keep their panels on the stack; one that is too small would end in a crash.
void RequireStack() {
  constexpr rlim_t kBytes = 1 << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= kBytes) return;
  throw Error(ErrorKind::kSystem, {.where = "stack",
                                   .expected = fmt::format("at least {} KiB", kBytes >> 10),
                                   .found = fmt::format("a limit of {} KiB", limit.rlim_cur >> 10),
                                   .hint = "Raise the limit (ulimit -s)."});
}

// Runs the command and explains its fault, if it has one. Throws bad_alloc only.
int RunAndExplain(int argc, char** argv) {
  try {
    RequireStack();
    const int code = ParseAndRun(argc, argv);
    RequireOutputTaken();
    LogToFile(spdlog::level::info, fmt::format("exit code {}", code));
    return code;
  } catch (const Error& error) {
    return Fail(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return Fail(ErrorKind::kInternal, fmt::format("internal error: {}", error.what()));
  }
}

int Main(int argc, char** argv) {
  if (argc > 1) activity = argv[1];
  KeepFreedMemory();
  OpenStandardStreams();
  // A full disk or a closed pipe comes back as an error of the write, which has a message.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  ExplainUnreadableMappings();
  try {
    TakeStatusRequests();
    RememberCommand(argc, argv);
    return RunAndExplain(argc, argv);
  } catch (const std::bad_alloc&) {
    return FailWithoutMemory();
  }
}

}  // namespace
}  // namespace paroquant::cli

int main(int argc, char** argv) {
  const int code = paroquant::cli::Main(argc, argv);
  if (code != static_cast<int>(paroquant::ErrorKind::kSystem)) return code;
  // Without destructors: an Eigen matrix whose resizing found no memory would be freed twice, and
  // the buffers that threads keep are such matrices.
  std::fflush(nullptr);
  std::_Exit(code);
}
