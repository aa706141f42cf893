"""The twin: a local world in which the unmodified program runs against strict clouds and a real Kubernetes."""
