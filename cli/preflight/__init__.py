"""`aiplatform preflight`: whether an account or a project has what an environment will need."""
