"""The checks of a project of Google Cloud."""
