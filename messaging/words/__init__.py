"""Finds the author's own words in the text of a mail. Pure, in linear time; imports nothing of the networks."""
