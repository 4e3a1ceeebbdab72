"""Manifests in, typed values and located diagnostics out."""
