"""The API server of an instance of AWS: moto behind a journal, and the rules of the services."""
