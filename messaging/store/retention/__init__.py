"""What is kept, for how long, and how much of it: quotas of dead letters, the sweeper, and erasure."""
