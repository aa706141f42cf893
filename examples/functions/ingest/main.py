"""What functions-framework loads: `functions-framework --target=handle`."""

from ingest.gcp import handle

__all__ = ["handle"]
