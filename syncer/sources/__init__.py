"""Declared sources in, relations out."""
