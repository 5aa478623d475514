"""How the embedded CLIP was made: contrastive pre-training on the rendered world."""
