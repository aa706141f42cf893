"""The API server of an instance of AWS: moto behind a journal, faults, and the rules of the services."""
