"""BigLake metastore: operations."""
