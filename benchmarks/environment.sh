# Sourced by the scripts `run`: checks their argument, goes to the repository's root, names tasks.
set -euo pipefail
if [ $# -lt 1 ] || [ ! -d "$1" ]; then
  echo "usage: $0 DATA, the folder of the tasks; see benchmarks/README.md" >&2
  exit 2
fi
data=$(cd "$1" && pwd)
# What other folders an argument names is taken from here, not from the repository's root.
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# The project's own environment, if it was made.
export PATH="$PWD/.venv/bin:$PATH"
# Kept between calls, so that a run that was stopped goes on.
work=results/benchmarks
mkdir -p "$work"

banking77=$data/banking77 clinc150=$data/clinc150 hwu64=$data/hwu64
sofmattress=$data/hint3_sofmattress powerplay11=$data/hint3_powerplay11 cfpb=$data/cfpb_long
# NAME TRAIN TEST [OOS]
banking77_tasks=(
  --task banking77_5shot "$banking77/train_5shot.yml" "$banking77/test.yml"
  --task banking77_10shot "$banking77/train_10shot.yml" "$banking77/test.yml"
)
clinc150_tasks=(
  --task clinc150_5shot "$clinc150/train_5shot.yml" "$clinc150/test.yml" "$clinc150/test_oos.txt"
)
hwu64_tasks=(--task hwu64_5shot "$hwu64/train_5shot.yml" "$hwu64/test.yml")
real_tasks=(
  --task sofmattress "$sofmattress/train.yml" "$sofmattress/test.yml" "$sofmattress/test_oos.txt"
  --task powerplay11 "$powerplay11/train.yml" "$powerplay11/test.yml" "$powerplay11/test_oos.txt"
  --task cfpb_long_20shot "$cfpb/train_20shot.yml" "$cfpb/test.yml"
)
seven_tasks=(
  "${banking77_tasks[@]}" "${clinc150_tasks[@]}" "${hwu64_tasks[@]}" "${real_tasks[@]}"
)
