"""The matching engine: pure rules and books of a futures exchange. No I/O, no wall clock, no unseeded chance."""
