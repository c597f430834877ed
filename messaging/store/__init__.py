"""The Django app of the gateway: subscribers, devices, messages and deliveries, and what decides about them.

A process calls `db.connection.set_up_django`, or `open_store`, before it imports a module that uses the models.
"""
