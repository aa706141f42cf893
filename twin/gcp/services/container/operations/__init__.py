"""Google Kubernetes Engine: the container API's behaviour, and what the control plane sees of it."""
