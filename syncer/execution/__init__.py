"""Walks a plan and decides nothing."""
