"""A new environment file from a few answers: `aiplatform new` asks, this package checks and writes the text.

An answer is checked by the rules that check a file: the text is rendered with the answers so far and loaded
as a preview loads it, and each problem is assigned to the answer that causes it (check.py).
"""
