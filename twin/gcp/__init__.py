"""Google Cloud in a world: the front that any Google client reaches, and the provider that Pulumi runs."""
