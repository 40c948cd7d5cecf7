"""What stages share that move data over a network: addresses that DVC can read, and progress."""
