"""What functions-framework loads: `functions-framework --target=handle`."""

from score.gcp import handle

__all__ = ["handle"]
