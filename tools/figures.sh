# For the scripts beside it that print figures: source it.

# number FILE KEY: the first number that a JSON file has under a key, or "-".
number() {
  local found
  found=$(grep -oE "\"$2\": *-?[0-9][0-9.eE+-]*" "$1" | head -n 1 | sed 's/.*: *//' || true)
  echo "${found:--}"
}

# round PATTERN NUMBER [FACTOR]: the number, times the factor, as printf shows it; "-" if there is
# none.
round() {
  if [[ $2 == - ]]; then echo -; else LC_ALL=C awk -v x="$2" -v f="${3:-1}" "BEGIN { printf \"$1\", x * f }"; fi
}
