#!/usr/bin/env bash
# Tests the package with versions other than those in constraints.txt, in its own environment under build/versions.
#
#   scripts/check_versions.sh newest    transformers 5 or newer, with the tokenizers and huggingface_hub that it needs,
#                                       and the newest installed Python up to 3.13; everything else as in constraints.txt
#                                       (two to four minutes)
#   scripts/check_versions.sh oldest    the lower bounds of setup.cfg (a CUDA build of torch: 5 GB, half an hour)
#   scripts/check_versions.sh pythons [VERSION…]
#                                       spaCy, thinc, torch and transformers as in constraints.txt, with these Pythons,
#                                       by default 3.10 to 3.13; leaves out that of PYTHON and those not installed
#                                       (4 GB and three minutes each)
#
# PYTHON chooses the interpreter. The environment is removed at the end, unless KEEP=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-newest}
root=$PWD
folder=$root/build/versions/$mode
tests=(tests/encoders tests/pairs/encoders tests/contract)
# What depends on the version of transformers; other heads over pairs use the same encoder as the teacher.
options=(-q -m "not slow and not real_data" -n 2 --dist loadgroup -k "encoders or transformer or marked or piece_teacher")
filter='.'
kept='.'
wanted=()

# The interpreter of a Python version: pyenv's, or the one on PATH.
find_python() {
    local found
    for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python "$(command -v "python$1" || true)"; do
        if [ -x "$found" ] && "$found" -c "import venv, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            echo "$found"
            return
        fi
    done
}

# check INTERPRETER: install what is wanted for this interpreter, and run the tests.
check() {
    local python=$folder/venv/bin/python
    rm -rf "$folder"
    mkdir -p "$folder"
    grep -Eiv "$filter" constraints.txt | grep -Ei "$kept" > "$folder/constraints.txt" || true
    "$1" -m venv "$folder/venv"
    "$python" -m pip install --disable-pip-version-check --quiet --no-cache-dir -c "$folder/constraints.txt" \
        . "${wanted[@]}" hypothesis jsonschema networkx pandas pyarrow pytest pytest-timeout pytest-xdist rapidfuzz rdflib \
        scikit-learn
    # The tests run in a copy of the checkout without the package, so that they import the installed one.
    ln -s "$root/assets" "$folder/assets"
    cp -R tests pyproject.toml "$folder/"
    "$python" -m pip list --disable-pip-version-check 2>/dev/null |
        grep -Ei '^(spacy|thinc|torch|transformers|tokenizers|typer|numpy) ' || true
    (cd "$folder" && OMP_NUM_THREADS=1 "$python" -m pytest "${options[@]}" "${tests[@]}")
}

[ "${KEEP:-0}" = 1 ] || trap 'rm -rf "$folder"' EXIT
case $mode in
newest)
    filter='^(transformers|spacy-transformers|tokenizers|huggingface_hub)=='
    wanted=("transformers>=5")
    options+=(--ignore tests/contract/test_devices.py) # its simulated GPU knows one version's operations
    interpreter=${PYTHON:-}
    for version in 3.13 3.12 3.11 3.10; do
        interpreter=${interpreter:-$(find_python "$version")}
    done
    check "${interpreter:-python3}"
    ;;
oldest)
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
    check "${PYTHON:-python3}"
    ;;
pythons)
    filter='^$'
    kept='^(spacy|spacy-transformers|thinc|torch|transformers|tokenizers|typer)=='  # others lack releases for some
    tests=(tests/annotations tests/bridge tests/contract/test_persistence.py)
    leave_out="planted or damaged or network or safetensors" # the same on every Python
    versions=("${@:2}")
    [ ${#versions[@]} -gt 0 ] || versions=(3.10 3.11 3.12 3.13)
    options=(-q -m "not slow and not real_data" -n 2 --dist loadgroup -k "not ($leave_out)")
    this=$("${PYTHON:-python3}" -c "import sys; print('%d.%d' % sys.version_info[:2])")
    for version in "${versions[@]}"; do
        [ "$version" = "$this" ] && continue
        interpreter=$(find_python "$version")
        if [ -z "$interpreter" ]; then
            echo "check_versions.sh: Python $version is not installed, and is left out"
            continue
        fi
        echo "check_versions.sh: Python $version"
        check "$interpreter"
    done
    ;;
*)
    echo "check_versions.sh: '$mode' is neither 'newest', 'oldest' nor 'pythons'" >&2
    exit 2
    ;;
esac
