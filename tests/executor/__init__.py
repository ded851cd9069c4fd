"""Tests of the executor, and their helpers."""
