"""What a server of a stored version remembers of its answers."""
