"""Plants in a network of one's own."""
