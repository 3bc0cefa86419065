"""Station 4: vectors become scores. Torch only, one paper per file."""
