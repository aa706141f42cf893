"""`aiplatform policy`: a preview of an environment on its twin, judged by the policy pack."""
