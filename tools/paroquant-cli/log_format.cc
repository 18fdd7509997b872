#include "log_format.h"

#include <spdlog/pattern_formatter.h>

#include <ctime>
#include <string_view>

#include "paroquant/base/printable.h"

namespace paroquant::cli {
namespace {

class PrintableText : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& line) override {
    const std::string text = Printable({message.payload.data(), message.payload.size()});
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<PrintableText>();
  }
};

}  // namespace

std::unique_ptr<spdlog::formatter> LogFormat(const std::string& pattern) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PrintableText>('v').set_pattern(pattern);
  return formatter;
}

}  // namespace paroquant::cli
