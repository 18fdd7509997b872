#include "report_option.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "option_facts.h"
#include "paroquant/base/error.h"
#include "paroquant/base/shell_word.h"
#include "result_file.h"

namespace paroquant::cli {
namespace {

constexpr char kOption[] = "--report";
constexpr char kPage[] = ".html";
constexpr char kJson[] = ".json";

bool IsPage(const std::string& file) { return file.ends_with(kPage); }

// Does the option decide what the result is?
bool DecidesResult(const CLI::Option& option) {
  constexpr std::array kOthers = {"--report", "--outliers", "--card", "--save-logits"};
  return option.count() > 0 && option.get_group() != kOptionsOfAll &&
         std::ranges::none_of(kOthers, [&](const char* name) { return option.check_name(name); });
}

}  // namespace

void ReportOption::Declare(CLI::App& app) {
  app.add_option(kOption, files_, "write a report, to read (.html) or for scripts (.json)")
      ->allow_extra_args(false)
      ->type_name("FILE");
}

void ReportOption::RequireUsable(const std::string& out) const {
  for (const std::string& file : files_) {
    if (!IsPage(file) && !file.ends_with(kJson)) {
      throw Error(ErrorKind::kUsage, {.where = kOption,
                                      .expected = "a FILE.html or a FILE.json",
                                      .found = "\"" + file + "\"",
                                      .hint = "The ending says what is to be written."});
    }
    RequireWritable(kOption, file, out);
  }
}

void ReportOption::RefusePages(const std::string& with) const {
  for (const std::string& file : files_) {
    if (!IsPage(file)) continue;
    throw Error(ErrorKind::kUsage, {.where = kOption,
                                    .expected = "a FILE.json for " + with,
                                    .found = "\"" + file + "\"",
                                    .hint = "Only results have a page."});
  }
}

bool ReportOption::WantsPage() const { return std::ranges::any_of(files_, IsPage); }

void ReportOption::Write(const nlohmann::ordered_json& json,
                         const std::function<std::string()>& page) const {
  for (const std::string& file : files_) {
    WriteResultText(file, IsPage(file) ? page() : ResultText(json));
  }
}

std::string CommandText(const CLI::App& app) {
  std::string text = "paroquant " + app.get_name();
  for (const CLI::Option* option : app.get_options()) {
    if (!DecidesResult(*option)) continue;
    const std::string name = " " + option->get_name();
    const bool flag = option->get_items_expected_max() == 0;
    if (flag || option->get_allow_extra_args()) text += name;
    if (flag) continue;
    for (const std::string& value : option->results()) {
      if (!option->get_allow_extra_args()) text += name;
      text += " " + ShellWord(value);
    }
  }
  return text;
}

}  // namespace paroquant::cli
