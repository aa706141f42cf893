"""The exit codes of `aiplatform sweep`."""

from typing import Final

NOTHING: Final = 0
"""Nothing is left."""
FAILED: Final = 1
"""A removal failed, or the account could not be read, wholly or in part."""
LEFT: Final = 2
"""Something is left."""
DEPLOYED: Final = 3
"""The environment's cluster exists, so nothing was evaluated."""
