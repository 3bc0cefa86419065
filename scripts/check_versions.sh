#!/usr/bin/env bash
# Tries the package with other versions than those of constraints.txt, in an environment of its own under build/versions.
#
#   scripts/check_versions.sh newest    transformers 5; everything else as in constraints.txt (two to four minutes)
#   scripts/check_versions.sh oldest    the lower bounds of setup.cfg (a CUDA build of torch: 5 GB, half an hour)
#
# PYTHON chooses the interpreter. The environment is removed at the end, unless KEEP=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-newest}
root=$PWD
folder=$root/build/versions/$mode
python=$folder/venv/bin/python
tests=(tests/encoders tests/pairs/encoders tests/contract)
# What changes with the version of transformers; other heads over pairs read the same encoder as the teacher's.
options=(-q -m "not slow and not real_data" -n 2 --dist loadgroup -k "encoders or transformer or marked or piece_teacher")

case $mode in
newest)
    filter='^(transformers|spacy-transformers|tokenizers|huggingface_hub)=='
    wanted=("transformers>=5")
    options+=(--ignore tests/contract/test_devices.py) # its simulated GPU knows the operations of one version
    ;;
oldest)
    filter='.'
    mapfile -t wanted < <("${PYTHON:-python3}" - <<'PYTHON'
import configparser, re
config = configparser.ConfigParser(delimiters=("=",))
config.read("setup.cfg", encoding="utf8")
for line in config["options"]["install_requires"].split():
    name, lowest = re.match(r"([\w-]+)>=([\d.]+)", line).groups()
    print(f"{name}=={lowest}")
PYTHON
    )
    tests+=(tests/cli tests/pipeline tests/bridge)
    options=(-q -m "not slow and not real_data" -n 2 --dist loadgroup)
    ;;
*)
    echo "check_versions.sh: '$mode' is neither 'newest' nor 'oldest'" >&2
    exit 2
    ;;
esac

rm -rf "$folder"
mkdir -p "$folder"
[ "${KEEP:-0}" = 1 ] || trap 'rm -rf "$folder"' EXIT
grep -Eiv "$filter" constraints.txt > "$folder/constraints.txt" || true
"${PYTHON:-python3}" -m venv "$folder/venv"
"$python" -m pip install --disable-pip-version-check --quiet --no-cache-dir -c "$folder/constraints.txt" \
    . "${wanted[@]}" hypothesis jsonschema networkx pandas pyarrow pytest pytest-timeout pytest-xdist rapidfuzz rdflib \
    scikit-learn

# The tests import the installed package: it is a copy of the checkout without the package that they run in.
ln -s "$root/assets" "$folder/assets"
cp -R tests pyproject.toml "$folder/"
cd "$folder"
"$python" -m pip list --disable-pip-version-check 2>/dev/null |
    grep -Ei '^(spacy|thinc|torch|transformers|tokenizers|typer|numpy) ' || true
OMP_NUM_THREADS=1 "$python" -m pytest "${options[@]}" "${tests[@]}"
