#!/bin/sh
# Fetch the VGG19 weights into model/ and the two demonstration pictures into input/.
# PYTHON=… names another Python; arguments go to `python -m neural_style.weights download`.
cd "$(dirname "$0")" || exit 1

for python in ${PYTHON:-.venv/bin/python python3 python}; do
    command -v "$python" >/dev/null 2>&1 && break
    python=
done
if [ -z "$python" ]; then
    echo "download.sh: error: no Python found; install Python 3.8 or later, or say PYTHON=/path/to/python" >&2
    exit 1
fi
if ! "$python" -c 'import numpy, platformdirs, requests, tqdm' 2>/dev/null; then
    echo "download.sh: error: $python lacks what this needs; first: $python -m pip install ." >&2
    exit 1
fi
exec "$python" -m neural_style.weights download "$@"
