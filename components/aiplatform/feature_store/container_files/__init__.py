"""What runs inside Feast's image: files that its containers are given in a ConfigMap.

They import what the image has and nothing of this package; the image has nothing of ours.
"""

from importlib.resources import files
from typing import Final

MATERIALIZE: Final = "materialize.py"
"""The program of the schedule. Its argument: the folder of `feature_store.yaml`."""


def program() -> str:
    """Return the source of the schedule's program."""
    return (files(__name__) / MATERIALIZE).read_text()
