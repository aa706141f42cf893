"""Cloud KMS."""
