"""Station 3: arrays become vectors. Torch only."""
