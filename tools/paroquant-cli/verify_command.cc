#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <optional>

#include "command.h"
#include "common_options.h"
#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/pipeline/verify.h"

namespace paroquant::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProblemFound = 6;

struct VerifyOptions {
  CommonOptions common;
  std::string model;
  std::string source;
  std::string target;
};

int RunVerify(const VerifyOptions& options) {
  options.common.Apply();
  if (!options.target.empty()) {
    throw Error(ErrorKind::kUnsupported, {.where = "--target " + options.target,
                                          .expected = "verify without --target",
                                          .found = "an engine's name",
                                          .hint = "This version knows no engine's constraints."});
  }
  const auto progress = options.common.MakeProgress();
  std::optional<std::filesystem::path> source;
  if (!options.source.empty()) source = options.source;
  const auto problems = pipeline::Verify(options.model, source, *progress);

  Json list = Json::array();
  for (const pipeline::VerifyProblem& problem : problems) {
    list.push_back(
        {{"where", problem.where}, {"expected", problem.expected}, {"found", problem.found}});
    if (options.common.ShowsText()) {
      std::cout << fmt::format("{}: expected {}, found {}\n", problem.where, problem.expected,
                               problem.found);
    }
  }
  if (options.common.ShowsText()) {
    std::cout << fmt::format("{}: {}\n", options.model,
                             problems.empty() ? "ok" : fmt::format("{} problems", problems.size()));
  }
  options.common.WriteJson({{"ok", problems.empty()}, {"problems", list}});
  return problems.empty() ? 0 : kProblemFound;
}

}  // namespace

Run DeclareVerify(CLI::App& app) {
  const auto options = std::make_shared<VerifyOptions>();
  AddPath(app, "--model", options->model, "the checkpoint to check")->required()->type_name("DIR");
  AddPath(app, "--source", options->source, "also compare with the model it was made from")
      ->type_name("DIR");
  app.add_option("--target", options->target, "also check that this engine will load it")
      ->type_name("NAME");
  options->common.Declare(app);
  return [options] { return RunVerify(*options); };
}

}  // namespace paroquant::cli
