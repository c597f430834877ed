"""The soak: hundreds of thousands of messages through one gateway while everything breaks at random."""
