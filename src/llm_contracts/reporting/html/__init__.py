"""One run as one HTML file: `page.render` writes it, the other modules say what is in it."""
