"""Knowledge graphs: from mentions to entities to facts."""
