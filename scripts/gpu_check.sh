#!/usr/bin/env bash
# On a machine with a GPU: trains every config on it for some steps, checks that GPU and CPU give the same outputs in
# fp32 (within 1e-3), and prints a table of words/s in training and docs/s in prediction.
#
#   scripts/gpu_check.sh [GPU_ID]       STEPS=50 CONFIGS="configs/rere.cfg configs/ner.cfg"; all of configs/ by default
#                                       VECTORS=PIPELINE: word vectors, for configs that read them
#
# It needs a CUDA build of torch, cupy, and what `make all` has made: corpora, encoder, trained pipelines. Configs that
# need anything else are listed as left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

gpu=${1:-0}
python=${PYTHON:-.venv/bin/python}
logs=build/gpu_check
read -r -a configs <<< "${CONFIGS:-$(echo configs/*.cfg)}"

if ! reason=$("$python" -c "import spacy; spacy.require_gpu($gpu)" 2>&1); then
    echo "gpu_check.sh: GPU $gpu cannot be used: $(tail -n 1 <<< "$reason")" >&2
    exit 2
fi
"$python" -c "import torch; print(torch.cuda.get_device_name($gpu), '- torch', torch.__version__)"
printf '\n| config | words/s, training | docs/s, GPU | docs/s, CPU | difference in fp32 |\n|---|---|---|---|---|\n'
mkdir -p "$logs"
failed=()
for config in "${configs[@]}"; do
    name=$(basename "$config" .cfg)
    log=$logs/$name.log
    options=(--gpu-id "$gpu" --steps "${STEPS:-50}" ${VECTORS:+--vectors "$VECTORS"})
    "$python" scripts/gpu_check.py "$config" "${options[@]}" > "$log" 2>&1 || failed+=("$name")
    grep '^|' "$log" || tail -n 1 "$log"
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "gpu_check.sh: failed: ${failed[*]}; see $logs" >&2
    exit 1
fi
