"""Figures of merit as pure functions of arrays: scores, calibration, and intervals by bootstrap."""
