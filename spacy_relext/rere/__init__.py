"""RERE (Xie et al., ACL 2021): which relations a sentence states, then the spans of each."""
