"""The API server of an instance of Google Cloud, made from Google's discovery documents."""
