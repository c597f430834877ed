"""The parts that several simulators share: faults, switches, clocks, pushes, serving."""
