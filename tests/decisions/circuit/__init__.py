"""Tests of the circuit behind a decision."""
