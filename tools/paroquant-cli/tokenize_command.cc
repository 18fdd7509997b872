#include <fmt/ranges.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "command.h"
#include "common_options.h"
#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/text/dataset.h"
#include "paroquant/text/tokenizer.h"
#include "standard_output.h"
#include "status_watch.h"

namespace paroquant::cli {
namespace {

using Json = nlohmann::ordered_json;

struct TokenizeOptions {
  CommonOptions common;
  std::string model;
  std::optional<std::string> text;
  std::string file;
  std::string jsonl;
  bool special = false;
};

// A {"text"} a line in, an {"ids"} a line out.
void TokenizeLines(const TokenizeOptions& options, const text::Tokenizer& tokenizer) {
  for (const std::string& text : text::ReadDocumentLines(options.jsonl)) {
    std::cout << Json{{"ids", tokenizer.Encode(text, options.special)}}.dump() << "\n";
    if (!std::cout) RequireOutputTaken();
  }
}

int RunTokenize(const TokenizeOptions& options) {
  options.common.Apply();
  const StatusWatch watch;
  const int sources =
      (options.text ? 1 : 0) + (options.file.empty() ? 0 : 1) + (options.jsonl.empty() ? 0 : 1);
  if (sources != 1) {
    throw Error(ErrorKind::kUsage, {.where = "tokenize",
                                    .expected = "one of --text, --file and --jsonl",
                                    .found = fmt::format("{} of them", sources),
                                    .hint = "See paroquant tokenize --help."});
  }
  if (!options.jsonl.empty()) options.common.RefuseJson("--jsonl, which prints JSON lines itself");
  const auto tokenizer =
      text::Tokenizer::Load(std::filesystem::path(options.model) / "tokenizer.json");
  if (!options.jsonl.empty()) {
    TokenizeLines(options, tokenizer);
    return 0;
  }
  if (options.text) RequireTextOption("--text", *options.text);
  const std::string text = options.text ? *options.text : text::ReadText(options.file);
  const std::vector<int32_t> ids = tokenizer.Encode(text, options.special);
  if (options.common.ShowsText()) std::cout << fmt::format("{}\n", fmt::join(ids, " "));
  options.common.WriteJson({{"ids", ids}});
  return 0;
}

}  // namespace

Run DeclareTokenize(CLI::App& app) {
  const auto options = std::make_shared<TokenizeOptions>();
  AddPath(app, "--model", options->model, "folder with tokenizer.json")
      ->required()
      ->type_name("DIR");
  app.add_option("--text", options->text, "the text itself")->type_name("TEXT");
  AddPath(app, "--file", options->file, "a text file, taken whole")->type_name("FILE");
  AddPath(app, "--jsonl", options->jsonl, R"(a {"text"} a line in, an {"ids"} a line out)")
      ->type_name("FILE");
  app.add_flag("--special", options->special, "add the template's special tokens");
  options->common.Declare(app);
  return [options] { return RunTokenize(*options); };
}

}  // namespace paroquant::cli
