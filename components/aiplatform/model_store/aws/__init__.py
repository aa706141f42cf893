"""The model store on AWS."""
