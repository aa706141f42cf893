"""Envoy Gateway on a twin: the controller that runs in the place of the add-on's.

`python -m twin.kubernetes.envoy_gateway EGCTL --health-address ADDRESS --folder FOLDER` watches gateways,
routes and policies, has Envoy Gateway's command translate them as the controller does, writes Envoy's
configuration into files and the status into the objects, and creates the Deployment and the Service of Envoy.
Envoy itself is real: a Pod that runs as a process.
"""
