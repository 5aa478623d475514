"""What trained prompts are like and what a model looks at: nearest words, attention, covered patches."""
