// The one exception type for faults of the user or the environment. Faults of our own are asserts.
#ifndef PAROQUANT_BASE_ERROR_H_
#define PAROQUANT_BASE_ERROR_H_

#include <exception>
#include <string>

namespace paroquant {

// The values are the exit codes of the command line.
enum class ErrorKind {
  kInternal = 1,       // our own fault
  kUsage = 2,          // wrong flags, OUT not empty, ...
  kInput = 3,          // a model, tokenizer or data file that is not what it should be
  kUnsupported = 4,    // valid input of a kind that is not handled
  kSystem = 5,         // the operating system refused: disk full, permission, memory
  kInterrupted = 130,  // the user asked to stop
};

// The four things a reader of an error wants to know. `where` names file, tensor or line. They may
// quote a file: an Error shows control characters as "?" and no more than 2000 bytes of each.
struct ErrorParts {
  std::string where;
  std::string expected;
  std::string found;
  std::string hint;  // what to do about it; a whole sentence, or empty
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, ErrorParts parts);

  ErrorKind kind() const { return kind_; }
  const ErrorParts& parts() const { return parts_; }
  // "<where>: expected <expected>, found <found>. <hint>"
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  ErrorParts parts_;
  std::string message_;
};

// A kSystem error: `action` ("open", "write", ...) failed on `path` with this errno.
Error SystemError(const std::string& path, const std::string& action, int error_number);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_ERROR_H_
