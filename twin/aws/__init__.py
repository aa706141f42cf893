"""AWS in the twin: the provider's tables, and the API front that keeps what moto would forget."""
