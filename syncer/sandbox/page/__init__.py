"""The page that shows a running sandbox in the browser: one file, which asks nothing of any other host."""

from __future__ import annotations
