"""Adapters to other tools, each an extra of its own."""
