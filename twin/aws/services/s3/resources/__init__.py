"""Amazon S3: resource types of the provider."""
