"""Training the learned prompts: one loop for all methods."""
