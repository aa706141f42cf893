"""What released versions register for each environment, and whether this version keeps it.

`records.py` writes and reads the records, `comparison.py` compares one with the program. A record is a folder
with the version as its name: a file for each environment, and `intended.toml`, the removals and replacements
that are intended. docs/operations/release.md has the steps.
"""
