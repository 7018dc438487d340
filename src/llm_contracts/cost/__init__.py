"""What calls cost: the same recordings through both clients, in turn, with nothing else going on."""
