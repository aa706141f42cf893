"""The isolation of teams, evaluated from what an environment registers."""
