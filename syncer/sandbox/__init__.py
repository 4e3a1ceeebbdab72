"""Marketo and Salesforce on loopback, faithful to what the vendors publish.

The sandbox stands apart: it imports nothing of syncer, so a bug of the client can never be shared by what tests it.
"""

from __future__ import annotations
