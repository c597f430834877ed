"""Bounds what devices send: the countries that their texts may go to, and their pace."""
