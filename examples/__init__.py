"""Small programs that show what can be built on the gateway and on its dataflow layer. Each one is run by a test."""
