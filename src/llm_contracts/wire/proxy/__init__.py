"""The loopback server that everything goes through: a proxy that records, a server that replays."""
