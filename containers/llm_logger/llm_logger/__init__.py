"""Measures requests to language models at the gateway, and stores a record of each in a bucket."""
