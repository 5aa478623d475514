"""The frozen CLIP: towers, tokeniser, loading."""
