#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "command.h"
#include "common_options.h"
#include "option_values.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/pipeline/convert.h"
#include "standard_output.h"

namespace paroquant::cli {
namespace {

struct ConvertArguments {
  CommonOptions common;
  pipeline::ConvertOptions options;
  std::string model;
  std::string out;
  std::string format;
};

int RunConvert(const ConvertArguments& arguments) {
  arguments.common.Apply(arguments.out);
  pipeline::ConvertOptions options = arguments.options;
  options.model = arguments.model;
  options.out = arguments.out;
  options.format = format::FindFormat(arguments.format);
  const auto progress = arguments.common.MakeProgress();
  const pipeline::ConvertSummary summary = pipeline::Convert(options, *progress);
  for (const std::string& note : summary.notes) spdlog::warn(note);
  if (arguments.common.ShowsText()) {
    PrintLine("{}: {} from {} to {}, {} kept in 16 bits, {}", arguments.out,
              Counted(summary.layers_converted, "layer"), FormatName(summary.from),
              FormatName(options.format), summary.layers_kept, Duration(summary.seconds));
  }
  arguments.common.WriteJson({{"model", arguments.model},
                              {"out", arguments.out},
                              {"format", FormatName(options.format)},
                              {"from", FormatName(summary.from)},
                              {"layers_converted", summary.layers_converted},
                              {"layers_kept", summary.layers_kept},
                              {"notes", summary.notes},
                              {"seconds", summary.seconds}});
  return 0;
}

}  // namespace

Run DeclareConvert(CLI::App& app) {
  const auto arguments = std::make_shared<ConvertArguments>();
  AddPath(app, "--model", arguments->model, "the quantized checkpoint")
      ->required()
      ->type_name("DIR");
  AddPath(app, "--out", arguments->out, "a new or empty folder")->required()->type_name("DIR");
  app.add_option("--format", arguments->format, "the layout to write")
      ->required()
      ->type_name(Alternatives(format::FormatNames()));
  app.add_flag("--overwrite", arguments->options.overwrite, "replace what is in the folder");
  arguments->common.Declare(app);
  return [arguments] { return RunConvert(*arguments); };
}

}  // namespace paroquant::cli
