"""Images, their splits, and how they reach a model: as uint8, decoded once, normalised last."""
