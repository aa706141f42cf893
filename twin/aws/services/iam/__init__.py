"""AWS IAM: its resources; twin.aws.iam evaluates policies."""
