"""Service Usage: operations."""
