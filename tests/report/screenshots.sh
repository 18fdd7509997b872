#!/usr/bin/env bash
# Takes pictures of reports in headless Chromium, at the widths of a phone and of a desktop, in light
# and dark, and checks that none is empty or wider than its window.
#   screenshots.sh PROGRAM [FOLDER]   keeps reports and pictures in FOLDER
# Exits with 77 where there is no Chromium.
set -euo pipefail

program=$(realpath "$1")
data=$(realpath "$(dirname "$0")/../data/tiny-llama")
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -z $chromium ]]; then
  echo "Skipped: no Chromium (on Debian: apt-get install chromium)"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
folder=$(realpath -m "${2:-$scratch/pictures}")
mkdir -p "$folder"

# browse WIDTH THEME ARGUMENT...
browse() {
  local width=$1 theme=$2 settings=()
  shift 2
  [[ $theme == light ]] || settings=(--blink-settings=preferredColorScheme=0)
  timeout 120 "$chromium" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
    --user-data-dir="$scratch/profile" --window-size="$width,2400" "${settings[@]}" "$@" \
    2> "$scratch/browser.log"
}

fail() {
  echo "$1" >&2
  exit 1
}

# The page in a frame of its own width, since a window may be no narrower than 500 pixels. The title
# then says how wide the content is.
frame() {
  local page=$1 width=$2
  cat << HTML
<!DOCTYPE html><meta charset="utf-8"><style>:root { color-scheme: light dark } body { margin: 0 } iframe { border: 0 }</style>
<iframe id="page" src="$(basename "$page")" width="$width" height="2400"></iframe>
<script>
onload = () => {
  const root = document.getElementById("page").contentDocument.documentElement;
  document.title = "width " + root.scrollWidth + " height " + root.querySelector("body").offsetHeight;
};
</script>
HTML
}

# check PAGE WIDTH THEME
check() {
  local page=$1 width=$2 theme=$3 picture sizes bytes
  picture=${page%.html}-$width-$theme.png
  frame "$page" "$width" > "$folder/frame.html"
  browse "$width" "$theme" --screenshot="$picture" "file://$folder/frame.html" > /dev/null ||
    fail "$picture: $(cat "$scratch/browser.log")"
  bytes=$(stat --format=%s "$picture")
  # A page of one colour takes a few kB.
  ((bytes > 20000)) || fail "$picture: empty, $bytes bytes"
  sizes=$(browse "$width" "$theme" --allow-file-access-from-files --dump-dom \
    "file://$folder/frame.html" | grep -o '<title>width [0-9]* height [0-9]*' | tr -dc '0-9 ')
  read -r content_width content_height <<< "$sizes"
  ((content_width == width)) || fail "$picture: content of $content_width pixels in $width"
  ((content_height > 600)) || fail "$picture: content $content_height pixels high"
  echo "$picture: $bytes bytes, content $content_width x $content_height"
}

common=(--no-progress --quiet)
"$program" inspect --model "$data" --report "$folder/model.html" "${common[@]}" > /dev/null
"$program" quantize --model "$data" --out "$scratch/fast" --calib "$data/sample_calibration.txt" \
  --calib-sequences 8 --sequence-length 256 --skip 'layers.0.*v_proj' \
  --report "$folder/quantization.html" "${common[@]}"
"$program" quantize --model "$data" --out "$scratch/a name that is much longer than others: rtn" \
  --recipe rtn "${common[@]}"
"$program" eval-ppl --model "$scratch/fast" "$scratch"/*rtn --baseline "$data" \
  --data "$data/sample_evaluation.txt" --window 256 --max-windows 8 \
  --report "$folder/evaluation.html" "${common[@]}" > /dev/null

for report in model quantization evaluation; do
  for width in 390 1280; do
    for theme in light dark; do check "$folder/$report.html" "$width" "$theme"; done
  done
  [[ $(md5sum < "$folder/$report-390-light.png") != $(md5sum < "$folder/$report-390-dark.png") ]] ||
    fail "$report: dark looks like light"
done
rm "$folder/frame.html"
