"""BigLake metastore."""
