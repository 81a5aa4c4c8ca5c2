"""Tests of cutaway.concepts.diff."""
