"""What the signs add up to, and how often that is wrong."""
