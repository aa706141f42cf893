"""What a key of an environment file means, from the sources of the schema and of the documentation.

`aiplatform explain` prints it; docs/environment.md is generated from the same modules.
"""
