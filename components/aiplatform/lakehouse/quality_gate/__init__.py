"""The quality gate: what runs in a Glue job around a batch that publishes tables, and on a schedule.

`gate.py` is the script as it stands in the bucket: it imports the standard library, and what Glue's Spark has
(pyspark, awsglue, awsgluedq) only when it runs there.
"""
