"""EKS, which moto has but in outline: clusters, node groups, add-ons, access entries, pod identities."""
