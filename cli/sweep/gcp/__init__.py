"""What an environment can leave in a project of Google Cloud."""
