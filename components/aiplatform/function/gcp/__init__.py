"""A function on Google Cloud: a service of Cloud Run."""
