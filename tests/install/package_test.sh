#!/usr/bin/env bash
# Packs a build as it is, unpacks the packages into clean folders, and has the program work there.
#   package_test.sh BUILD WORK MODEL
set -euo pipefail
build=$1 work=$2 model=$3

fail() { echo "FAILED: $*" >&2; exit 1; }

pack() {
  cpack --config "$build/CPackConfig.cmake" -B "$work/packages" "$@" > "$work/cpack.log" 2>&1
}

# check_tree PREFIX: everything is there, and works without anything of the build.
check_tree() {
  local prefix=$1 out="$work/new model (4 bit)" file
  for file in share/doc/paroquant/{LICENSE,README.md,docs/recipes.md} \
              share/paroquant/configs/{fast.json,recipe.schema.json} \
              share/man/man1/paroquant{,-quantize,-recipe}.1 \
              share/bash-completion/completions/paroquant share/zsh/site-functions/_paroquant \
              share/fish/vendor_completions.d/paroquant.fish; do
    [[ -s $prefix/$file ]] || fail "$file is not in $prefix"
  done
  [[ ! -e $prefix/include ]] || fail "the package of the program holds the library"
  local program=(env -i "$prefix/bin/paroquant")
  "${program[@]}" --version | grep '^kernels: ' > /dev/null || fail "--version"
  "${program[@]}" recipe show fast | grep '"feedback"' > /dev/null || fail "recipe show fast"
  "${program[@]}" quantize --model "$model" --out "$out" --recipe fast --plan --quiet
  "${program[@]}" quantize --model "$model" --out "$out" --recipe rtn --quiet
  "${program[@]}" verify --model "$out" --source "$model"
  rm -r "$out"
}

rm -rf "$work"
mkdir -p "$work/deb"

if grep -q 'CPACK_PAROQUANT_NATIVE "ON"' "$build/CPackConfig.cmake"; then
  if pack; then fail "a build for this machine alone was packed"; fi
  grep -q 'preset portable' "$work/cpack.log" || fail "no word about the preset portable"
fi
pack -D PAROQUANT_PACK_NATIVE=ON || { cat "$work/cpack.log"; fail "cpack"; }

tar -xzf "$work"/packages/paroquant-*.tar.gz -C "$work"
check_tree "$(echo "$work"/paroquant-*/)"

if ! command -v dpkg-shlibdeps > /dev/null; then
  echo "no dpkg-shlibdeps on this machine: the .deb is not tested"
  exit 0
fi
package=$(echo "$work"/packages/paroquant_*.deb)
for library in libc6 libstdc++6 libfmt libpcre2-8-0 libutf8proc zlib1g; do
  dpkg-deb --field "$package" Depends | grep "$library" > /dev/null || fail "$package does not depend on $library"
done
dpkg-deb --extract "$package" "$work/deb"
check_tree "$work/deb/usr"
echo "PASSED: packages of $build"
