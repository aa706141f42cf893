"""Cloud Resource Manager."""
