"""Google Cloud: the API server that any Google client reaches, and the provider that Pulumi runs."""
