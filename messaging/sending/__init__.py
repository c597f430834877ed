"""The parts that every sender shares: attempts within a lease, splitting, order, retry hints, user operators."""
