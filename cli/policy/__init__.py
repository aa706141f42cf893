"""`aiplatform policy`: a preview of an environment on its twin, with the policy pack."""
