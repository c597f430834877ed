"""The tables of outcomes that every network passes, whatever it is; `stands.py` is where one registers."""
