"""The Django app of the gateway: subscribers, devices, messages and deliveries, and what decides about them.

`router`, `ledger` and `due` may be imported at any time; their constructors open the store. Every other module
that touches a model (`directory`, `history`, `admin`, ...) is to be imported after `store.open_store`.
"""
