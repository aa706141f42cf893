"""IAM: service accounts, roles, members of policies."""
