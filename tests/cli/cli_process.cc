#include "tests/cli/cli_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <regex>
#include <stdexcept>

#include "paroquant/base/file.h"

namespace paroquant::testing {
namespace {

// Standard output and error go to these files of `folder`.
posix_spawn_file_actions_t RedirectTo(const std::filesystem::path& folder) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const auto redirect = [&](int descriptor, const char* name) {
    posix_spawn_file_actions_addopen(&actions, descriptor, (folder / name).c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  };
  redirect(STDOUT_FILENO, "out");
  redirect(STDERR_FILENO, "error");
  return actions;
}

// Runs the program that the first word names.
CliResult RunWords(std::vector<std::string> words, const std::vector<std::string>& more) {
  const TemporaryFolder folder;
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions = RedirectTo(folder.path());
  pid_t child = 0;
  const int error = posix_spawn(&child, argv.front(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + words.front());
  int status = 0;
  waitpid(child, &status, 0);
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
          .out = ReadFile(folder.path() / "out"),
          .error = ReadFile(folder.path() / "error")};
}

}  // namespace

CliResult RunCli(const std::vector<std::string>& arguments) {
  return RunWords({PAROQUANT_PROGRAM}, arguments);
}

CliResult RunCliInScript(const std::string& script, const std::vector<std::string>& arguments) {
  return RunWords({"/bin/bash", "-c", script, "bash", PAROQUANT_PROGRAM}, arguments);
}

::testing::AssertionResult HasFourParts(const std::string& error) {
  std::string rest = error;
  for (const std::string mark : {"paroquant: ", ": expected ", ", found ", ". "}) {
    const size_t place = rest.find(mark);
    const bool first = mark == "paroquant: ";
    if (place == std::string::npos || (place == 0) != first) {
      return ::testing::AssertionFailure() << "nothing before \"" << mark << "\" in " << error;
    }
    rest = rest.substr(place + mark.size());
  }
  if (rest.size() > 2 && (rest.ends_with(".\n") || rest.ends_with("?\n"))) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "no hint that is a sentence in " << error;
}

std::vector<std::string> QuantizeTinyLlama(const std::filesystem::path& out, int sequences,
                                           int sequence_length,
                                           const std::vector<std::string>& more) {
  std::vector<std::string> words = {"quantize", "--model", kTinyLlama, "--out", out.string()};
  words.insert(words.end(),
               {"--calib", kTinyLlama + "/sample_calibration.txt", "--calib-sequences",
                std::to_string(sequences), "--sequence-length", std::to_string(sequence_length)});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

io::Json RunCliJson(std::vector<std::string> arguments) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "result.json";
  arguments.insert(arguments.end(), {"--json", file.string()});
  const CliResult result = RunCli(arguments);
  if (result.exit_code != 0) throw std::runtime_error(result.error);
  return io::ReadJsonFile(file);
}

std::vector<std::string> CommandNames() {
  const std::string help = RunCli({"--help-all"}).out;
  const size_t start = help.find("Commands:");
  const std::string list = help.substr(start, help.find("Options:") - start);
  const std::regex row("\n  ([a-z][a-z-]*) ");
  std::vector<std::string> names;
  for (std::sregex_iterator i(list.begin(), list.end(), row), end; i != end; ++i) {
    names.push_back((*i)[1]);
  }
  return names;
}

std::set<std::string> OptionNames(const std::string& command) {
  std::vector<std::string> words = {"--help-all"};
  if (!command.empty()) words.insert(words.begin(), command);
  const std::string help = RunCli(words).out;
  const std::regex row("\n  (?:-[a-z], )?(--[a-z][a-z0-9-]*)");
  std::set<std::string> names;
  for (std::sregex_iterator i(help.begin(), help.end(), row), end; i != end; ++i) {
    names.insert((*i)[1]);
  }
  return names;
}

std::map<std::string, std::string> FolderContent(const std::filesystem::path& folder) {
  std::map<std::string, std::string> content;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) continue;
    content[entry.path().lexically_relative(folder).string()] = ReadFile(entry.path());
  }
  return content;
}

}  // namespace paroquant::testing
