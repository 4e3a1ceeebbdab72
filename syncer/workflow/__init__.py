"""Wiring: load and check, plan, apply, resume. Everything is decided below; here the parts meet."""
