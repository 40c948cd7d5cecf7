"""Train one backbone on the prepared data set."""
