"""Satbridge: a gateway between e-mail, SMS and satellite messaging devices."""
