"""The six containerised components and the domain library they share."""
