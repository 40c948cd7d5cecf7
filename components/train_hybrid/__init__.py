"""Train the hybrid of two backbones with their trained weights loaded."""
