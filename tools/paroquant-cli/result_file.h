// Files that results go to: what can't be written is refused before the work and not after it, and
// a full disk leaves the old file or none.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_RESULT_FILE_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_RESULT_FILE_H_

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace paroquant::cli {

// Naming the option, throws kSystem if `path` is a folder, lies in none, or may not be written, and
// kUsage if its name is one that a file of a model has. Leaves no trace. Nothing to do for "". The
// folder may be `out`, which the command will have made before it writes the file.
void RequireWritable(const std::string& option, const std::string& path,
                     const std::string& out = "");

// Calls write(temporary) and gives the file its name once it is whole. Links and special files
// such as /dev/stdout are written in place. Throws kSystem.
void WriteResultFile(const std::string& path,
                     const std::function<void(const std::filesystem::path&)>& write);

// The same with `text` as the file's content.
void WriteResultText(const std::string& path, std::string_view text);

// A result as files for scripts have it; what is no UTF-8 in it is replaced.
std::string ResultText(const nlohmann::ordered_json& result);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_RESULT_FILE_H_
