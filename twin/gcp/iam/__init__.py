"""IAM as the API server evaluates it: identities, policies; resources are in services/iam."""
