"""The model store on Google Cloud."""
