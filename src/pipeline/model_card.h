// README.md of a checkpoint, as the Hugging Face hub shows it: what it was made from and how, what
// was measured, and how engines load it.
#ifndef PAROQUANT_PIPELINE_MODEL_CARD_H_
#define PAROQUANT_PIPELINE_MODEL_CARD_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/engine_rules.h"

namespace paroquant::pipeline {

struct CardFacts {
  CheckpointFacts checkpoint;
  int64_t bytes = 0;              // of the tensors
  std::string command;            // that makes the same again
  bool converted = false;         // from another quantized checkpoint
  io::Json report = nullptr;      // see Provenance; or null where nobody knows
  std::vector<std::string> kept;  // layers in 16 bits, each with the reason if there is one
};

// No dates, no paths: the same facts give the same bytes. What the source's own card says of
// licence, languages and use is carried over; what of it could not be read is said in `notes`.
std::string ModelCard(const model::Checkpoint& source, const CardFacts& facts,
                      std::vector<std::string>& notes);

// True for a card as a run has written it, edited by nobody.
bool IsUneditedCard(std::string_view card);
// The card with the mark by which that is known.
std::string Marked(std::string card);

// Beside the card's own text, its place for figures.
std::string FiguresPlace(std::string_view figures);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_MODEL_CARD_H_
