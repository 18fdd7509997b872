#include "paroquant/base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "paroquant/base/printable.h"
#include "paroquant/base/utf8.h"

namespace paroquant {

namespace {

// Of a file that may hold anything: without what a terminal would take for a command, and not as
// long as the file.
std::string Presentable(const std::string& part) {
  constexpr size_t kLongest = 2000;
  if (part.size() <= kLongest) return Printable(part);
  size_t end = kLongest;
  while (end > 0 && IsUtf8Continuation(part[end])) --end;  // not inside a character
  return Printable(std::string_view(part).substr(0, end)) + "...";
}

}  // namespace

Error::Error(ErrorKind kind, ErrorParts parts) : kind_(kind), parts_(std::move(parts)) {
  for (std::string* part : {&parts_.where, &parts_.expected, &parts_.found, &parts_.hint}) {
    *part = Presentable(*part);
  }
  message_ = fmt::format("{}: expected {}, found {}", parts_.where, parts_.expected, parts_.found);
  if (!parts_.hint.empty()) message_ += ". " + parts_.hint;
}

namespace {

std::string HintFor(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "Free space on that disk or choose another place.";
    case EACCES:
    case EPERM:
    case EROFS:
      return "Check the permissions of the file and of its folder.";
    case ENOENT:
      return "Check the path.";
    case ENOMEM:
      return "Free memory or use a bigger machine.";
    case ELOOP:
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
      return "Choose another path.";
    case EFBIG:
      return "Choose a file system or a limit (ulimit -f) that allows larger files.";
    case EMFILE:
    case ENFILE:
      return "Raise the limit of open files (ulimit -n).";
    default:
      return "Check that the device works and that the path is meant, then try again.";
  }
}

}  // namespace

Error SystemError(const std::string& path, const std::string& action, int error_number) {
  return Error(ErrorKind::kSystem, {.where = path,
                                    .expected = "to " + action,
                                    .found = std::generic_category().message(error_number),
                                    .hint = HintFor(error_number)});
}

}  // namespace paroquant
