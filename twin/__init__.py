"""The twin: a local instance where the unmodified program meets strict clouds and a real Kubernetes."""
