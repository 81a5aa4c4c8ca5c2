"""Code concepts: is every label the parser's, does every control hold the look-alike, and does nothing leak?"""
