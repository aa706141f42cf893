"""Google Kubernetes Engine: resource types of the provider."""
