"""MLflow on a cluster, its database, the bucket of its models, and who may do what with them."""
