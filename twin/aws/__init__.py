"""AWS in the twin: the provider's tables, and the API server that keeps what moto would forget."""
