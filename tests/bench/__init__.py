"""Measurements of speed, memory and size; not tests."""
