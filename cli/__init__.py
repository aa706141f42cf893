"""The `aiplatform` command."""
