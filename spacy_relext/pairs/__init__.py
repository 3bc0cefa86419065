"""What methods over entity pairs share."""
