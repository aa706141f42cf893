"""The AWS functions (`aws.get_...`): one module a service, one class a function."""
