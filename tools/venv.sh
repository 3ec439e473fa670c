#!/bin/sh
# Make a virtual environment in which every distribution matches a sha256 of constraints.txt.
#
#     tools/venv.sh FOLDER REQUIREMENT [PROJECT…]
#     tools/venv.sh .venv-dev 'claimstance[dev]' -e .
#
# PROJECT is what pip is told to install the project itself from, if it is to: this folder, or a wheel of it.
set -eu
folder=$1 requirement=$2
shift 2
constraints=$(dirname "$0")/../constraints.txt

"${PYTHON:-python3}" -m venv "$folder"
pip() { command=$1; shift; "$folder/bin/python" -m pip "$command" -qq --disable-pip-version-check "$@"; }
hashed() { pip install --require-hashes --only-binary :all: "$@"; }

# Older pips refuse hashes that stand in constraints, so first comes the pinned one, as a requirement of its own.
sed -n '/^pip==/,/[^\\]$/p' "$constraints" > "$folder/pip.txt"
hashed -r "$folder/pip.txt"

if [ $# -gt 0 ]; then
    hashed -c "$constraints" setuptools
    # A folder has no hash. Installed on its own, the project counts as there; what it needs is left to fetch.
    pip install --no-deps --no-build-isolation "$@"
fi

# Told the hashes, pip takes the build that an index vouches for: gigabytes for a GPU, even where pip is set up with a
# smaller one of the same version. So pip chooses without them, and the file it chose is then held against them.
torch=$(sed -n 's/^\(torch==[^ ;]*\).*/\1/p' "$constraints")
case $requirement in *dev* | *train*)
    if [ "$("$folder/bin/python" -m pip freeze | sed -n 's/^\(torch==[^+]*\).*/\1/p')" != "$torch" ]; then
        pip download --no-deps --only-binary :all: --dest "$folder/wheels" "$torch"
        hashed --no-deps --no-index --find-links "$folder/wheels" -c "$constraints" torch
        rm -r "$folder/wheels"
    fi
esac
hashed -c "$constraints" "$requirement"
