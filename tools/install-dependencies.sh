#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, if any is missing.
#   --checks  also what .ci/run checks the sources with
set -euo pipefail

packages=(build-essential cmake ninja-build pkg-config libcli11-dev libeigen3-dev libfmt-dev
          libgmock-dev libgtest-dev libpcre2-dev libspdlog-dev libutf8proc-dev nlohmann-json3-dev
          zlib1g-dev)

for option in "$@"; do
  case "$option" in
    --checks) packages+=(clang clang-format clang-tidy cppcheck fish gcovr libbenchmark-dev libclang-rt-dev mandoc zsh) ;;
    *) echo "usage: $0 [--checks]" >&2; exit 2 ;;
  esac
done

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  echo "This is no Debian: not installing. Needed are the counterparts of: ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $EUID -ne 0 ]]; then
  if ! command -v sudo > /dev/null; then
    echo "Run this as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
