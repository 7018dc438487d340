"""Scripted providers in their own dialects, for rehearsals without keys; what they send is `simulated`."""
