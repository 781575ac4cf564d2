"""The simulated qualification service: what stands beyond the network, with every answer and fault at will.

`docs/service-api.yaml` is its contract, `kiosk simulate service` starts it, `ServiceControl` steers it.
"""
