"""Footers below the own words of a mail: signatures, advertisements of programs, disclaimers, footers of lists."""
