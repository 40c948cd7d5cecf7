"""Proofs over the real training; too long for tests."""
