"""What is on the engine, and whose it is."""
