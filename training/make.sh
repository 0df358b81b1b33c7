#!/bin/sh
# The one command per model: `training/make.sh arithmetic-a` trains, exports, measures and writes the card.
# PYTHON names the interpreter (with PyTorch), MODELNET_TRAINING the work folder.
set -e
cd "$(dirname "$0")"
python=${PYTHON:-python3}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} PYTHONDONTWRITEBYTECODE=1
[ "$SKIP_TRAIN" ] || "$python" train.py "$1"
"$python" export_gguf.py "$1"
"$python" heldout.py "$1"
node evaluate.mjs "$1"
"$python" card.py "$1"
