"""The decisions a person makes about differences: the queue, what an acceptance covers, the screens."""
