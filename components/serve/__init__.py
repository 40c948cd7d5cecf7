"""What answers: a stored version loaded without TensorFlow, photographs, the server, and what it remembers of them."""
