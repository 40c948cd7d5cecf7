"""Measure a model on PublicTest and, once, on PrivateTest in its three forms."""
