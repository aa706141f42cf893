"""AWS Glue: the data catalog, jobs, Iceberg's REST endpoint."""
