"""The twin: a local world where the unmodified program meets strict clouds and a real Kubernetes."""
