#include "pipeline/calibration_text.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "paroquant/chat/chat_template.h"
#include "paroquant/runtime/sampler.h"
#include "paroquant/text/dataset.h"
#include "paroquant/text/tokenizer.h"

namespace paroquant::pipeline {
namespace {

// File names without their folders: the report is the same wherever the files lie.
std::string SourceName(const std::vector<std::string>& files) {
  std::string names;
  for (const std::string& file : files) {
    names += (names.empty() ? "" : ", ") + std::filesystem::path(file).filename().string();
  }
  return names;
}

// The first sequences, which are no different from the others, are held out.
CalibrationText Split(std::string source, std::vector<std::vector<int32_t>> sequences,
                      int64_t held_out) {
  const auto middle = sequences.begin() + held_out;
  CalibrationText text{
      .source = std::move(source),
      .sequences = {std::make_move_iterator(middle), std::make_move_iterator(sequences.end())},
      .held_out = {}};
  sequences.erase(middle, sequences.end());
  text.held_out = std::move(sequences);
  return text;
}

// Through the model's own chat template, which is read when the first conversation needs it.
text::ConversationWriter MakeWriter(const std::filesystem::path& model) {
  const auto loaded = std::make_shared<std::optional<chat::ChatTemplate>>();
  return [model, loaded](const io::JsonObject& record) {
    if (!*loaded) *loaded = chat::ChatTemplate::Load(model);
    const io::Json& json = record.json();
    chat::Conversation conversation{.messages = json.at("messages")};
    if (record.Has("tools")) conversation.tools = json.at("tools");
    return (*loaded)->Render(conversation, record.where());
  };
}

}  // namespace

CalibrationText LoadCalibrationText(const QuantizeOptions& options,
                                    const runtime::LanguageModel& model, Progress& progress) {
  const method::Recipe& recipe = options.recipe;
  const int64_t length = std::min(recipe.sequence_length, model.architecture().max_positions);
  const int64_t count = recipe.calibration_sequences + recipe.held_out_sequences;
  const std::vector<std::string>& files = options.calibration;
  if (!options.SamplesText()) {
    const auto tokenizer = text::Tokenizer::Load(options.model / "tokenizer.json");
    const std::vector<std::filesystem::path> paths(files.begin(), files.end());
    return Split(SourceName(files),
                 text::CalibrationSequences(tokenizer, paths,
                                            {.sequences = count,
                                             .held_out = recipe.held_out_sequences,
                                             .length = length,
                                             .seed = options.seed,
                                             .bos_id = model.architecture().bos_token_id,
                                             .write_conversation = MakeWriter(options.model)}),
                 recipe.held_out_sequences);
  }
  return Split(kSelfCalibration,
               runtime::SampleSequences(model, count, length, options.seed, progress),
               recipe.held_out_sequences);
}

}  // namespace paroquant::pipeline
