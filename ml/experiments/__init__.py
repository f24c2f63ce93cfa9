"""Trying a policy on people without fooling oneself: assignment, sequential tests, interleaving,
and estimates from logs. Arrays in, arrays out; chance comes from the caller's generator."""
