"""The real control plane of the twin, and what a cloud does around it: nodes, tokens, add-ons."""
