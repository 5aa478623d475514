"""What a method is made of, and the frozen CLIP with a method around it."""
