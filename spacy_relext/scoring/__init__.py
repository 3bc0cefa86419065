"""Station 7: Examples become numbers."""
