#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>

#include "command.h"
#include "common_options.h"
#include "option_values.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/pipeline/engine_rules.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/pipeline/verify.h"
#include "standard_output.h"

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

// A checkpoint that is not whole is not looked at more closely.
std::vector<pipeline::VerifyProblem> TargetProblems(const VerifyOptions& options, bool whole) {
  if (!whole) return pipeline::EngineProblems(options.target, {});
  return pipeline::EngineProblems(options.target,
                                  pipeline::FactsOf(model::Checkpoint::Open(options.model)));
}

// Without these a checkpoint is whole, and still less than its reader may take it for.
void WarnOfWhatIsMissing(const VerifyOptions& options) {
  const std::filesystem::path folder = options.model;
  if (!Exists(folder / "tokenizer.json")) {
    spdlog::warn("{}: no tokenizer.json, which most engines need for text.", options.model);
  }
  if (options.source.empty() && !Exists(folder / pipeline::kProvenanceFile)) {
    spdlog::warn("{}: no {}, so nothing tells whether its bytes are those that were written.",
                 options.model, pipeline::kProvenanceFile);
  }
}

int RunVerify(const VerifyOptions& options) {
  options.common.Apply();
  const auto progress = options.common.MakeProgress();
  std::optional<std::filesystem::path> source;
  if (!options.source.empty()) source = options.source;
  auto problems = pipeline::Verify(options.model, source, *progress);
  WarnOfWhatIsMissing(options);
  if (!options.target.empty()) {
    const auto broken = TargetProblems(options, problems.empty());
    problems.insert(problems.end(), broken.begin(), broken.end());
  }

  Json list = Json::array();
  for (const pipeline::VerifyProblem& problem : problems) {
    list.push_back(
        {{"where", problem.where}, {"expected", problem.expected}, {"found", problem.found}});
    if (options.common.ShowsText()) {
      PrintLine("{}: expected {}, found {}", problem.where, problem.expected, problem.found);
    }
  }
  if (options.common.ShowsText()) {
    PrintLine("{}: {}", options.model,
              problems.empty() ? "ok" : Counted(std::ssize(problems), "problem"));
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
      ->type_name(Alternatives(pipeline::EngineNames()));
  options->common.Declare(app);
  return [options] { return RunVerify(*options); };
}

}  // namespace paroquant::cli
