"""The feature store on Google Cloud."""
