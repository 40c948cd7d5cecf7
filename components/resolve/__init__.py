"""Find which data there is now, and whether a scheduled run has anything to do."""
