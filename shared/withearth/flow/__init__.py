"""The use cases, in the order of the flow: dispatch → decide → execute → reconcile.

Each is a function of a `Runtime` and an event, idempotent, and reads clock, store, bus and market only through ports.
"""
