// What the program does when the system refuses: it says so with exit code 5, and nothing is left
// that a loader could take for a model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::FolderContent;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliInScript;
using testing::TemporaryFolder;

std::vector<std::string> QuantizeByRtn(const fs::path& model, const fs::path& out) {
  return {"quantize", "--model", model.string(), "--out", out.string(), "--recipe", "rtn"};
}

// tiny-llama with a file beside it that is larger than its weights.
fs::path ModelWithALargeFile(const fs::path& folder) {
  const fs::path model = folder / "model";
  fs::copy(kTinyLlama, model);
  WriteFile(model / "large.txt", "");
  fs::resize_file(model / "large.txt", 12 << 20);
  return model;
}

// Limits what a file may hold, which fails like a full disk, to a number of KiB.
std::string WithFileLimit(int kibibytes) {
  return "ulimit -f " + std::to_string(kibibytes) + " && exec \"$@\"";
}

constexpr int kTooSmallForWeights = 512;
constexpr int kTooSmallForTheLargeFile = 8192;

TEST(SystemFaultTest, NothingIsLeftWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const fs::path model = ModelWithALargeFile(folder.path());
  const fs::path out = folder.path() / "new" / "out";
  const CliResult result =
      RunCliInScript(WithFileLimit(kTooSmallForWeights), QuantizeByRtn(model, out));
  EXPECT_EQ(result.exit_code, 5) << result.error;
  EXPECT_THAT(result.error, HasSubstr("model.safetensors"));
  EXPECT_THAT(result.error, HasSubstr("File too large"));
  EXPECT_FALSE(fs::exists(folder.path() / "new"));
}

TEST(SystemFaultTest, OldCheckpointStaysWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const fs::path model = ModelWithALargeFile(folder.path());
  const fs::path out = folder.path() / "out";
  ASSERT_EQ(RunCli(QuantizeByRtn(kTinyLlama, out)).exit_code, 0);
  const auto before = FolderContent(out);
  std::vector<std::string> words = QuantizeByRtn(model, out);
  words.insert(words.end(), {"--bits", "8", "--overwrite"});
  for (const int limit : {kTooSmallForWeights, kTooSmallForTheLargeFile}) {
    EXPECT_EQ(RunCliInScript(WithFileLimit(limit), words).exit_code, 5);
    fs::remove_all(out / ".paroquant-state");  // of finished blocks, to go on with
    EXPECT_EQ(FolderContent(out), before) << limit;
  }
}

TEST(SystemFaultTest, AModelThatIsCutMeanwhileIsNamedAndTheRunGoesOn) {
  const TemporaryFolder folder;
  const fs::path model = folder.path() / "model";
  const fs::path out = folder.path() / "out";
  const fs::path log = folder.path() / "log";
  fs::copy(kTinyLlama, model);
  std::vector<std::string> words = QuantizeByRtn(model, out);
  words.back() = "fast";
  words.insert(words.end(), {"--calib", kTinyLlama + "/sample_calibration.txt", "--calib-sequences",
                             "32", "--sequence-length", "256", "--log-file", log.string()});
  const CliResult result = RunCliInScript(
      "\"$@\" & until grep -q 'block 1' " + log.string() +
          " 2> /dev/null; do kill -0 $! || exit 99; sleep 0.01; done; truncate --size 1000 " +
          (model / "model.safetensors").string() + "; wait $!",
      words);
  EXPECT_EQ(result.exit_code, 5) << result.error;
  EXPECT_THAT(result.error, HasSubstr((model / "model.safetensors").string()));
  EXPECT_THAT(ReadFile(log), HasSubstr("cut short"));
  EXPECT_FALSE(fs::exists(out / "config.json"));
  fs::copy_file(kTinyLlama + "/model.safetensors", model / "model.safetensors",
                fs::copy_options::overwrite_existing);
  words.emplace_back("--resume");
  EXPECT_EQ(RunCli(words).exit_code, 0);
}

// Runs a script as the owner of a new mount namespace; "$0" is a folder.
CliResult RunWithMounts(const std::string& script, const fs::path& folder,
                        const std::vector<std::string>& arguments) {
  return RunCliInScript("exec unshare --user --map-root-user --mount bash -c '" + script + "' " +
                            folder.string() + " \"$@\"",
                        arguments);
}

bool MountsAllowed(const fs::path& folder) {
  return RunWithMounts("mount -t tmpfs -o size=1m tmpfs \"$0\"", folder, {}).exit_code == 0;
}

TEST(SystemFaultTest, NothingButStateIsLeftOnASmallFileSystem) {
  const TemporaryFolder folder;
  const fs::path model = ModelWithALargeFile(folder.path());
  const fs::path disk = folder.path() / "disk";
  fs::create_directory(disk);
  if (!MountsAllowed(disk)) GTEST_SKIP() << "this system lets no user mount a small file system";
  // The larger one is full when the large file is copied, once all blocks are finished.
  for (const auto& [size, left] : {std::pair("512k", ""), {"8m", ".paroquant-state\n"}}) {
    const CliResult result =
        RunWithMounts("mount -t tmpfs -o size=" + std::string(size) +
                          " tmpfs \"$0\"; \"$@\"; code=$?; ls -A \"$0\"/*; exit $code",
                      disk, QuantizeByRtn(model, disk / "out"));
    EXPECT_EQ(result.exit_code, 5) << size;
    EXPECT_THAT(result.error, HasSubstr("No space left on device")) << size;
    EXPECT_EQ(result.out, left) << size << ": these files were left";
  }
}

TEST(SystemFaultTest, ReadOnlyFileSystemsAreRefusedBeforeAnyWork) {
  const TemporaryFolder folder;
  if (!MountsAllowed(folder.path())) {
    GTEST_SKIP() << "this system lets no user mount a read-only file system";
  }
  const CliResult result = RunWithMounts("mount -t tmpfs -o ro tmpfs \"$0\"; \"$@\"", folder.path(),
                                         QuantizeByRtn(kTinyLlama, folder.path() / "out"));
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.error, HasSubstr("Read-only file system"));
}

TEST(SystemFaultTest, PlacesThatTakeNoFolderAreRefused) {
  const TemporaryFolder folder;
  WriteFile(folder.path() / "file", "x");
  fs::create_symlink("loop", folder.path() / "loop");
  const std::string long_name(300, 'a');
  for (const fs::path& out : {folder.path() / "file" / "out", fs::path("/proc/out"),
                              folder.path() / "loop" / "out", folder.path() / long_name}) {
    const CliResult result = RunCli(QuantizeByRtn(kTinyLlama, out));
    EXPECT_EQ(result.exit_code, 5) << out << ": " << result.error;
    EXPECT_THAT(result.error, HasSubstr(out.string()));
  }
  const auto entries = fs::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 2) << "only what was there";
  for (const fs::path& model : {folder.path() / "loop", folder.path() / long_name}) {
    const CliResult result = RunCli({"inspect", "--model", model.string()});
    EXPECT_EQ(result.exit_code, 3) << model << ": " << result.error;
    EXPECT_THAT(result.error, HasSubstr(model.string()));
    EXPECT_THAT(result.error, HasSubstr("no folder"));
  }
}

TEST(SystemFaultTest, ResultsThatCannotBeWrittenAreNoSuccess) {
  const std::vector<std::string> words = {"tokenize", "--model", kTinyLlama, "--text", "Hello"};
  EXPECT_EQ(RunCliInScript("\"$@\" --json /dev/full", words).exit_code, 5);
  for (const char* script : {"\"$@\" > /dev/full", "\"$@\" --json - > /dev/full",
                             "\"$@\" --help > /dev/full", "\"$@\" >&-"}) {
    const CliResult result = RunCliInScript(script, words);
    EXPECT_EQ(result.exit_code, 5) << script;
    EXPECT_THAT(result.error, HasSubstr("standard output")) << script;
    EXPECT_THAT(result.error, HasSubstr("Free space on its disk, or send it elsewhere.")) << script;
  }
}

TEST(SystemFaultTest, StacksThatAreTooSmallAreRefused) {
  const TemporaryFolder folder;
  for (const char* kibibytes : {"256", "1000"}) {
    const CliResult result =
        RunCliInScript(std::string("ulimit -s ") + kibibytes + " && exec \"$@\"",
                       QuantizeByRtn(kTinyLlama, folder.path() / "out"));
    EXPECT_EQ(result.exit_code, 5) << result.error;
    EXPECT_THAT(result.error, HasSubstr("ulimit -s"));
  }
}

// A file that is opened while standard error is closed must not become standard error.
TEST(SystemFaultTest, MessagesNeverEndUpInTheWeights) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  EXPECT_EQ(RunCliInScript("\"$@\" 2>&-", QuantizeByRtn(kTinyLlama, out)).exit_code, 0);
  const CliResult result = RunCli({"verify", "--model", out.string(), "--source", kTinyLlama});
  EXPECT_EQ(result.exit_code, 0) << result.out;
}

// Starts quantizing, waits for the weights to be begun, sends a signal and waits for the end.
std::string WithSignalWhileWriting(const std::string& signal, const fs::path& out) {
  return "\"$@\" & until [[ -e " + (out / ".model.safetensors.tmp").string() +
         " ]] || ! kill -0 $!; do sleep 0.01; done; kill -" + signal + " $!; wait $!";
}

TEST(SystemFaultTest, InterruptedRunsLeaveNothingAndKilledOnesNothingThatLoads) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  // Sampling its own calibration text keeps it busy.
  const std::vector<std::string> words = {"quantize", "--model", kTinyLlama, "--out", out.string()};
  for (const char* signal : {"INT", "TERM"}) {
    const CliResult result = RunCliInScript(WithSignalWhileWriting(signal, out), words);
    EXPECT_EQ(result.exit_code, 130) << result.error;
    EXPECT_FALSE(fs::exists(out)) << signal;
  }
  RunCliInScript(WithSignalWhileWriting("KILL", out), words);
  ASSERT_TRUE(fs::exists(out));
  for (const auto& [name, content] : FolderContent(out)) {
    EXPECT_TRUE(name.starts_with(".")) << name;
  }
  EXPECT_EQ(RunCli({"generate", "--model", out.string(), "--prompt", "a"}).exit_code, 3);
  EXPECT_EQ(RunCli(QuantizeByRtn(kTinyLlama, out)).exit_code, 2);
  std::vector<std::string> again = QuantizeByRtn(kTinyLlama, out);
  again.emplace_back("--overwrite");
  EXPECT_EQ(RunCli(again).exit_code, 0);
  EXPECT_EQ(RunCli({"verify", "--model", out.string(), "--source", kTinyLlama}).exit_code, 0);
  EXPECT_FALSE(fs::exists(out / ".model.safetensors.tmp"));
}

}  // namespace
}  // namespace paroquant
