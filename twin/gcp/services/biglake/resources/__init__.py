"""BigLake metastore: resource types of the provider."""
