"""Encryption at rest and in transit, and the keys for it.

Whatever stores data uses a key of the customer, which the account can revoke and whose use is logged;
connections use TLS; keys rotate, and are used.
"""
