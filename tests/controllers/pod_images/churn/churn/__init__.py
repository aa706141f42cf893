"""A team's program of continuous training: the training and the evaluation of a classifier."""

import sys
from pathlib import Path

# How the processes of a training exchange messages is that of the example.
sys.path.append(str(Path(__file__).parents[5] / "examples" / "training"))
