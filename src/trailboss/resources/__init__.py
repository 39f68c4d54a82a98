"""One file per kind of account resource; everything about that kind and nothing else."""
