"""The twin's tools: pinned versions, the builds of what the machine lacks, and the Python language host."""
