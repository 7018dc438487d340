"""The smallest recording that still shows a difference, and a file that shows it to others."""
