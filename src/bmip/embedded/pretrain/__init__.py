"""How the embedded CLIP was made: contrastive pre-training on scenes of drawn pictures."""
