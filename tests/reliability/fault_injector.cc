// Counts the calls by which a program asks the system for something, and lets one of them fail. To
// be loaded with LD_PRELOAD, and told by the environment:
//   FAULT_KIND   of which kind the failing call is (kKindNames); none: only counts
//   FAULT_AT     which call of this kind fails, counted from 1
//   FAULT_ERRNO  the number of the error that it fails with; 0: a read or write takes half
//   FAULT_STAYS  if set, all later calls of the kind fail as well
//   FAULT_LOG    a file for what happened: "failed PATH" of each failing call, "KIND COUNT" of each
//   kind at exit FAULT_SITES  a file for the numbers of those allocations that have a new call
//   stack
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

// The allocators of glibc under the names that stay when malloc is replaced.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

enum Kind {
  kOpen,
  kStat,
  kRead,
  kWrite,
  kReserve,
  kTemporary,
  kMap,
  kSync,
  kRename,
  kRemove,
  kFolder,
  kList,
  kLock,
  kThread,
  kMemory,
  kKinds
};

constexpr std::array<std::string_view, kKinds> kKindNames = {
    "open",   "stat",   "read",   "write", "reserve", "temporary", "map",   "sync",
    "rename", "remove", "folder", "list",  "lock",    "thread",    "memory"};

std::array<std::atomic<int64_t>, kKinds> counts;
// Set by the constructor; all calls before it only count.
int failing_kind = -1;
int64_t failing_call = 0;
int failing_errno = 0;
bool fault_stays = false;
int log_file = -1;
int sites_file = -1;
// While this library itself is at work. Of the initial kind, as others may be allocated on use.
[[gnu::tls_model("initial-exec")]] thread_local bool inside = false;

// Neither counted nor failing, as what the C library's own functions call.
void Print(int file, std::string_view text) {
  if (file >= 0) syscall(SYS_write, file, text.data(), text.size());
}

// The file that a call is about: a path, a descriptor or neither.
struct Target {
  const char* path = nullptr;
  int descriptor = -1;
};

void LogFailure(const Target& target) {
  std::array<char, 4096> line{"failed "};
  size_t length = std::strlen(line.data());
  const size_t room = line.size() - length - 1;
  if (target.path != nullptr) {
    const std::string_view path = std::string_view(target.path).substr(0, room);
    length += path.copy(line.data() + length, path.size());
  } else if (target.descriptor >= 0) {
    std::array<char, 32> link{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", target.descriptor);
    const long size = syscall(SYS_readlink, link.data(), line.data() + length, room);
    length += static_cast<size_t>(std::max(size, 0L));
  }
  line[length++] = '\n';
  Print(log_file, {line.data(), length});
}

// Counts a call. True if it is to fail.
bool IsFailing(Kind kind, const Target& target) {
  if (inside) return false;
  const int64_t number = ++counts[kind];
  if (kind != failing_kind || number < failing_call) return false;
  if (number > failing_call && !fault_stays) return false;
  inside = true;
  LogFailure(target);
  inside = false;
  return true;
}

bool Fails(Kind kind, const Target& target = {}) {
  if (!IsFailing(kind, target)) return false;
  errno = failing_errno;
  return true;
}

// The size that a read or write is left with, or -1 if it fails.
ssize_t Taken(Kind kind, int file, size_t size) {
  if (!IsFailing(kind, {.descriptor = file})) return static_cast<ssize_t>(size);
  errno = failing_errno;
  return failing_errno == 0 ? static_cast<ssize_t>((size + 1) / 2) : -1;
}

// The function that would have been called without this library.
template <typename Function>
Function* Next(Function* /*same*/, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// Where an allocation comes from: the innermost frames tell enough.
uint64_t CallStack() {
  constexpr int kFrames = 8;
  std::array<void*, kFrames> frames{};
  const int count = backtrace(frames.data(), kFrames);
  uint64_t hash = 1469598103934665603U;  // FNV-1a
  for (int i = 0; i < count; ++i) {
    hash = (hash ^ reinterpret_cast<uint64_t>(frames[static_cast<size_t>(i)])) * 1099511628211U;
  }
  return hash;
}

// True the first time. Two stacks that fall together would only leave one of them out.
bool IsNew(uint64_t stack) {
  constexpr size_t kSlots = size_t{1} << 20;
  static std::array<std::atomic<uint64_t>, kSlots> seen;
  for (size_t slot = stack % kSlots;; slot = (slot + 1) % kSlots) {
    uint64_t empty = 0;
    if (seen[slot].compare_exchange_strong(empty, stack)) return true;
    if (empty == stack) return false;
  }
}

bool AllocationFails() {
  const bool fails = Fails(kMemory);
  if (!inside && sites_file >= 0) {
    inside = true;
    const int64_t number = counts[kMemory];
    std::array<char, 32> line{};
    const int length =
        std::snprintf(line.data(), line.size(), "%lld\n", static_cast<long long>(number));
    if (IsNew(CallStack())) Print(sites_file, {line.data(), static_cast<size_t>(length)});
    inside = false;
  }
  return fails;
}

int OpenLog(const char* variable) {
  const char* path = std::getenv(variable);
  if (path == nullptr) return -1;
  return static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
}

// Out of the way of a program that looks for free descriptors from 0 on.
int MoveUp(int file) {
  if (file < 0) return file;
  constexpr int kFirst = 100;
  const int moved = fcntl(file, F_DUPFD_CLOEXEC, kFirst);
  syscall(SYS_close, file);
  return moved;
}

[[gnu::constructor]] void Begin() {
  inside = true;
  log_file = MoveUp(OpenLog("FAULT_LOG"));
  sites_file = MoveUp(OpenLog("FAULT_SITES"));
  if (sites_file >= 0) CallStack();  // loads what it needs
  const char* kind = std::getenv("FAULT_KIND");
  const char* call = std::getenv("FAULT_AT");
  const char* error = std::getenv("FAULT_ERRNO");
  if (kind != nullptr && call != nullptr && error != nullptr) {
    failing_call = std::atoll(call);
    failing_errno = std::atoi(error);
    fault_stays = std::getenv("FAULT_STAYS") != nullptr;
    const auto found = std::find(kKindNames.begin(), kKindNames.end(), std::string_view(kind));
    failing_kind = static_cast<int>(found - kKindNames.begin());
  }
  inside = false;
}

[[gnu::destructor]] void End() {
  inside = true;
  for (size_t kind = 0; kind < kKinds; ++kind) {
    std::array<char, 64> line{};
    const int length = std::snprintf(line.data(), line.size(), "%s %lld\n", kKindNames[kind].data(),
                                     static_cast<long long>(counts[kind]));
    Print(log_file, {line.data(), static_cast<size_t>(length)});
  }
}

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

// The functions that stand before those of the C library. Each pair of names is one function there.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  if (Fails(kOpen, {.path = path})) return -1;
  return Next(&open, "open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return open(path, flags, mode);
}

// By this the standard library opens folders to list and to remove them.
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  if (Fails(kList, {.path = path})) return -1;
  return Next(&openat, "openat")(folder, path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return openat(folder, path, flags, mode);
}

FILE* fopen(const char* path, const char* mode) {
  if (Fails(kOpen, {.path = path})) return nullptr;
  return Next(&fopen, "fopen")(path, mode);
}
FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }

int mkostemps(char* path, int suffix, int flags) {
  if (Fails(kTemporary, {.path = path})) return -1;
  return Next(&mkostemps, "mkostemps")(path, suffix, flags);
}

int stat(const char* path, struct stat* info) {
  if (Fails(kStat, {.path = path})) return -1;
  return Next(&stat, "stat")(path, info);
}
int lstat(const char* path, struct stat* info) {
  if (Fails(kStat, {.path = path})) return -1;
  return Next(&lstat, "lstat")(path, info);
}
int fstat(int file, struct stat* info) {
  if (Fails(kStat, {.descriptor = file})) return -1;
  return Next(&fstat, "fstat")(file, info);
}
int access(const char* path, int mode) {
  if (Fails(kStat, {.path = path})) return -1;
  return Next(&access, "access")(path, mode);
}

ssize_t read(int file, void* data, size_t size) {
  const ssize_t taken = Taken(kRead, file, size);
  return taken < 0 ? -1 : Next(&read, "read")(file, data, static_cast<size_t>(taken));
}

ssize_t write(int file, const void* data, size_t size) {
  const ssize_t taken = Taken(kWrite, file, size);
  return taken < 0 ? -1 : Next(&write, "write")(file, data, static_cast<size_t>(taken));
}
ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  const ssize_t taken = Taken(kWrite, file, size);
  return taken < 0 ? -1 : Next(&pwrite, "pwrite")(file, data, static_cast<size_t>(taken), offset);
}
ssize_t pwrite64(int file, const void* data, size_t size, off_t offset) {
  return pwrite(file, data, size, offset);
}
ssize_t writev(int file, const iovec* parts, int count) {
  if (Fails(kWrite, {.descriptor = file})) return -1;
  return Next(&writev, "writev")(file, parts, count);
}

// Returns its error instead of setting errno.
int posix_fallocate(int file, off_t offset, off_t size) {
  if (Fails(kReserve, {.descriptor = file})) return failing_errno;
  return Next(&posix_fallocate, "posix_fallocate")(file, offset, size);
}
int ftruncate(int file, off_t size) {
  if (Fails(kReserve, {.descriptor = file})) return -1;
  return Next(&ftruncate, "ftruncate")(file, size);
}

void* mmap(void* address, size_t size, int access, int flags, int file, off_t offset) {
  if (Fails(kMap, {.descriptor = file})) return MAP_FAILED;
  return Next(&mmap, "mmap")(address, size, access, flags, file, offset);
}
void* mmap64(void* address, size_t size, int access, int flags, int file, off_t offset) {
  return mmap(address, size, access, flags, file, offset);
}

int fsync(int file) {
  if (Fails(kSync, {.descriptor = file})) return -1;
  return Next(&fsync, "fsync")(file);
}

int rename(const char* from, const char* to) {
  if (Fails(kRename, {.path = to})) return -1;
  return Next(&rename, "rename")(from, to);
}

int remove(const char* path) {
  if (Fails(kRemove, {.path = path})) return -1;
  return Next(&remove, "remove")(path);
}
int unlink(const char* path) {
  if (Fails(kRemove, {.path = path})) return -1;
  return Next(&unlink, "unlink")(path);
}
int unlinkat(int folder, const char* path, int flags) {
  if (Fails(kRemove, {.path = path})) return -1;
  return Next(&unlinkat, "unlinkat")(folder, path, flags);
}
int rmdir(const char* path) {
  if (Fails(kRemove, {.path = path})) return -1;
  return Next(&rmdir, "rmdir")(path);
}

int mkdir(const char* path, mode_t mode) {
  if (Fails(kFolder, {.path = path})) return -1;
  return Next(&mkdir, "mkdir")(path, mode);
}

DIR* opendir(const char* path) {
  if (Fails(kList, {.path = path})) return nullptr;
  return Next(&opendir, "opendir")(path);
}
DIR* fdopendir(int file) {
  if (Fails(kList, {.descriptor = file})) return nullptr;
  return Next(&fdopendir, "fdopendir")(file);
}
dirent* readdir(DIR* folder) {
  if (Fails(kList, {.descriptor = dirfd(folder)})) return nullptr;
  return Next(&readdir, "readdir")(folder);
}
dirent64* readdir64(DIR* folder) { return reinterpret_cast<dirent64*>(readdir(folder)); }

int flock(int file, int operation) {
  if (Fails(kLock, {.descriptor = file})) return -1;
  return Next(&flock, "flock")(file, operation);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) {
  if (Fails(kThread)) return failing_errno;
  return Next(&pthread_create, "pthread_create")(thread, attributes, body, argument);
}

void* malloc(size_t size) { return AllocationFails() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) {
  return AllocationFails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  return AllocationFails() ? nullptr : __libc_realloc(old, size);
}
void* memalign(size_t alignment, size_t size) {
  return AllocationFails() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** result, size_t alignment, size_t size) {
  void* memory = memalign(alignment, size);
  if (memory == nullptr) return ENOMEM;
  *result = memory;
  return 0;
}

}  // extern "C"
