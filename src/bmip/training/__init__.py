"""Training the prompts: one loop for all methods, and the folder of a run."""
