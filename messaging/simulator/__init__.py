"""Local stand-ins of the outside networks, for the demo and for tests: real servers, with faults to switch on."""
