"""Athena that runs its queries: Trino's SQL by DuckDB, over the tables' files in the twin's S3.

sqlglot reads the statement and writes it again for DuckDB, pyiceberg plans and commits Iceberg tables, and
every file and every table goes through the API server as the caller's own request, so that it is decided on,
journaled and there again after a restart. What is not translated fails and says so.
"""
