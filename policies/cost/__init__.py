"""Cost: unused resources, resources without a limit or an end, and resources without an owner.

Budgets and quotas limit what is spent; these policies find what is paid for and not used, and what grows
without a bound. Estimates of an environment's cost are separate: `aiplatform estimate`.
"""
