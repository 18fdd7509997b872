// The front matter of a model card: what the hub knows the checkpoint by.
#ifndef PAROQUANT_PIPELINE_CARD_HEAD_H_
#define PAROQUANT_PIPELINE_CARD_HEAD_H_

#include <string>
#include <vector>

#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/engine_rules.h"
#include "pipeline/front_matter.h"

namespace paroquant::pipeline {

// What the source's own card says that holds for what is made from it; nothing without a card.
FrontMatter SourceCard(const model::Checkpoint& source);

// The files of the source, all carried over, that are a licence by their names.
std::vector<std::string> LicenceFiles(const model::Checkpoint& source);

// Says in the hub's way that the licence is in one of these files, where `card` states none.
void StateLicence(const std::vector<std::string>& files, FrontMatter& card);

// The model that the checkpoint is a quantization of. What a card of a 16-bit model calls its base
// is the one that it was trained from, unless it bears the folder's name.
std::string BaseModel(const model::Checkpoint& source, const FrontMatter& card);

// The front matter, its two lines of "---" included. `carried` is the source's.
std::string CardHead(const std::string& base, const CheckpointFacts& facts,
                     const FrontMatter& carried);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CARD_HEAD_H_
