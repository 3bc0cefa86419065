"""SelfORE (Hu et al., EMNLP 2020): relations induced from raw text by clustering."""
