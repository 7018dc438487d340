"""Recordings of an application's own traffic: few of many calls, each of a shape of its own."""
