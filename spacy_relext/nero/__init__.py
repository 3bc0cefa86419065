"""NERO (Zhou et al., WWW 2020): labelling rules, matched exactly and softly."""
