"""Mentions to entities to facts."""
