"""The table of AWS resource types: one module a service, one class a type."""
