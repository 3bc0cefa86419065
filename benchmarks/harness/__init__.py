"""What the benchmarks share: command line, corpora, trainings, rows of results, tables."""
