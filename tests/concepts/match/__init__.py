"""What has a concept's name, what is refused it, and what is said where nothing can be."""
