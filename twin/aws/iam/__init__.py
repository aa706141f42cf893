"""IAM as the API server evaluates it: principals, policies, sessions; resources are in services/iam."""
