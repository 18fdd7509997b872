#include "paroquant/base/mapping.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "paroquant/base/interrupted.h"

namespace paroquant {
namespace {

// The system's list of this process's mappings, a line each:
//   7f0c1000-7f0c3000 r--p 00000000 08:01 1234    /home/user/model.safetensors
// Standard streams and functions with buffers allocate, so it is read byte by byte here.
class MappingList {
 public:
  MappingList()
      : file_(RetryInterrupted([] { return ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC); })) {}
  MappingList(const MappingList&) = delete;
  MappingList& operator=(const MappingList&) = delete;
  ~MappingList() {
    if (file_ >= 0) ::close(file_);
  }

  // A newline at the end of a line, and without end behind the last one.
  char Next() {
    if (position_ == size_) Fill();
    return size_ == 0 ? '\n' : bytes_[position_++];
  }
  bool AtEnd() {
    if (position_ == size_) Fill();
    return size_ == 0;
  }

 private:
  void Fill() {
    const ssize_t size =
        file_ < 0 ? 0
                  : RetryInterrupted([&] { return ::read(file_, bytes_.data(), bytes_.size()); });
    size_ = size < 0 ? 0 : static_cast<size_t>(size);
    position_ = 0;
  }

  int file_;
  std::array<char, 4096> bytes_;
  size_t position_ = 0;
  size_t size_ = 0;
};

// Reads hexadecimal digits and the character behind them.
uintptr_t NextAddress(MappingList& list) {
  uintptr_t address = 0;
  while (true) {
    const char c = list.Next();
    if (c >= '0' && c <= '9') {
      address = address * 16 + static_cast<uintptr_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      address = address * 16 + static_cast<uintptr_t>(c - 'a' + 10);
    } else {
      return address;
    }
  }
}

// Reads the rest of a line: four columns, and the name of what is mapped, if it has one.
std::string_view NextName(MappingList& list, std::span<char> storage) {
  size_t length = 0;
  bool named = false;
  for (char c = list.Next(); c != '\n'; c = list.Next()) {
    named = named || c == '/';
    if (named && length < storage.size()) storage[length++] = c;
  }
  return {storage.data(), length};
}

}  // namespace

std::string_view MappedFileAt(const void* address, std::span<char> storage) {
  const auto place = reinterpret_cast<uintptr_t>(address);
  MappingList list;
  while (!list.AtEnd()) {
    const uintptr_t begin = NextAddress(list);
    const uintptr_t end = NextAddress(list);
    const std::string_view name = NextName(list, storage);
    if (place >= begin && place < end) return name;
  }
  return {};
}

}  // namespace paroquant
