"""Admission: who may write to the devices of a subscriber."""
