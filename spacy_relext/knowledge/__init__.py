"""Side road: rules, knowledge bases, alignment and type patterns, read once when a pipeline is initialized."""
