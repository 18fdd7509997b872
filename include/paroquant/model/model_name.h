// What a model is called, by where it lies.
#ifndef PAROQUANT_MODEL_MODEL_NAME_H_
#define PAROQUANT_MODEL_MODEL_NAME_H_

#include <filesystem>
#include <string>

namespace paroquant::model {

// A model folder's name: the hub's ("owner/name"), where the folder lies in a cache of it, else the
// last part of its path.
std::string ModelName(const std::filesystem::path& folder);

// The name without the owner that the hub puts before it.
std::string WithoutOwner(const std::string& name);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_MODEL_NAME_H_
