"""Jinja in, typed expressions, SQL and their Python meaning out."""
