#include "result_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/printable.h"

namespace paroquant::cli {
namespace {

namespace fs = std::filesystem;

// True for a file that a rename may put in place. A link would be replaced by the file, a device
// lost.
bool IsPlainFile(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(path, ignored);
  return !fs::exists(status) || fs::is_regular_file(status);
}

// Beside `path`, so that a rename moves no data; other processes have other names.
fs::path TemporaryPath(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}.{}.tmp", path.filename().string(), getpid());
}

Error NotAFile(const std::string& where, const std::string& found, const std::string& hint) {
  return Error(
      ErrorKind::kSystem,
      {.where = where, .expected = "a file that can be written", .found = found, .hint = hint});
}

// The names that files of a model have: written over one of them, a result would spoil the model.
bool NamesModelFile(const fs::path& path) {
  constexpr std::array kNames = {"config.json",
                                 "generation_config.json",
                                 "model.safetensors.index.json",
                                 "quantization_report.json",
                                 "special_tokens_map.json",
                                 "tokenizer.json",
                                 "tokenizer_config.json"};
  const std::string name = path.filename().string();
  return std::ranges::find(kNames, name) != kNames.end() ||
         (name.starts_with("model") && name.ends_with(".safetensors"));
}

// An error about the temporary file, of which nobody knows, as one about `where`.
Error Renamed(const Error& error, const fs::path& temporary, const std::string& where) {
  ErrorParts parts = error.parts();
  const std::string hidden = Printable(temporary.string());
  if (parts.where.starts_with(hidden)) parts.where.replace(0, hidden.size(), where);
  return Error(error.kind(), parts);
}

// By writing, as permissions alone do not tell: the file system may be read-only.
void Probe(const std::string& where, const fs::path& path) {
  const fs::path temporary = TemporaryPath(path);
  try {
    OutputFile(temporary).Close();
  } catch (const Error& error) {
    throw Renamed(error, temporary, where);
  }
  std::error_code ignored;
  fs::remove(temporary, ignored);
}

void WriteInPlace(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) throw SystemError(path, "write", errno);
}

}  // namespace

void RequireWritable(const std::string& option, const std::string& path, const std::string& out) {
  if (path.empty()) return;
  const std::string where = option + " " + path;
  if (NamesModelFile(path)) {
    throw Error(ErrorKind::kUsage, {.where = where,
                                    .expected = "a name of its own for the result",
                                    .found = "one that a model's file has",
                                    .hint = "Choose another name."});
  }
  const bool exists = Exists(path);
  if (IsFolder(path)) throw NotAFile(where, "a folder", "Name a file in it.");
  const fs::path folder = AbsolutePath(path).parent_path();
  if (!out.empty() && !Exists(out) && ResolvedPath(folder) == ResolvedPath(out)) return;
  if (!IsFolder(folder)) {
    throw NotAFile(where, "no folder " + folder.string(), "Create it first.");
  }
  const bool plain = IsPlainFile(path);
  if ((exists || !plain) && ::access(path.c_str(), W_OK) != 0) {
    throw SystemError(where, "write", errno);
  }
  if (plain) Probe(where, path);
}

void WriteResultFile(const std::string& path, const std::function<void(const fs::path&)>& write) {
  if (!IsPlainFile(path)) return write(path);
  const fs::path temporary = TemporaryPath(path);
  std::error_code ignored;
  try {
    write(temporary);
  } catch (const Error& error) {
    fs::remove(temporary, ignored);
    throw Renamed(error, temporary, path);
  } catch (...) {
    fs::remove(temporary, ignored);
    throw;
  }
  std::error_code error;
  fs::rename(temporary, path, error);
  if (!error) return;
  fs::remove(temporary, ignored);
  throw SystemError(path, "put this file in place", error.value());
}

void WriteResultText(const std::string& path, std::string_view text) {
  if (!IsPlainFile(path)) return WriteInPlace(path, text);
  WriteResultFile(path, [&](const fs::path& file) { WriteFile(file, text); });
}

std::string ResultText(const nlohmann::ordered_json& result) {
  return result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace paroquant::cli
