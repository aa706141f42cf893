"""The registry API of images (OCI Distribution Specification) in front of ECR and Artifact Registry."""
