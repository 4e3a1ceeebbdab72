"""Pipelines in, staged rows and payloads out: DuckDB."""
