"""Law packs: the files of a law in one compressed, signed file that servers load while they run."""
