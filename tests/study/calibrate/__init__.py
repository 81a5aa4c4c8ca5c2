"""What is promised of `match`, counted over training runs."""
