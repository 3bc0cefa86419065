"""Parts that the methods over entity pairs share."""
