"""The feature store on AWS."""
