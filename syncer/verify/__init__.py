"""Decides, from what a run left behind, whether it kept its promises. Shares no code with what carried it out."""
