// What goes wrong inside a template, before it is known which file and which record that concerns.
#ifndef PAROQUANT_CHAT_FAULT_H_
#define PAROQUANT_CHAT_FAULT_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace paroquant::chat {

class Fault : public std::exception {
 public:
  enum class Kind {
    kWrong,        // Jinja refuses it, too
    kUnsupported,  // Jinja would take it, this interpreter does not
  };

  explicit Fault(std::string message, Kind kind = Kind::kWrong, int line = 0)
      : message_(std::move(message)), kind_(kind), line_(line) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const { return message_; }
  Kind kind() const { return kind_; }
  int line() const { return line_; }  // of the template, from 1; 0 where not yet known

 private:
  std::string message_;
  Kind kind_;
  int line_;
};

// The work that one rendering may do, so that no template hangs or takes all memory. Everything
// that takes time or memory in proportion to its operands spends about their bytes.
class Budget {
 public:
  void Spend(size_t units) {
    if (units > left_) {
      throw Fault("more work than any chat template needs: an endless loop?",
                  Fault::Kind::kUnsupported);
    }
    left_ -= units;
  }

 private:
  uint64_t left_ = uint64_t{1} << 29;
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_FAULT_H_
