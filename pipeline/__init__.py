"""Graphs, their two compilers, and the ferflow command line."""
