"""`aiplatform restore`: objects of a bucket with versions, as they were at a time."""
