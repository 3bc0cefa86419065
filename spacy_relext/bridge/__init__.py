"""Torch modules as thinc models."""
