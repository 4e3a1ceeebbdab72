"""A pretended Marketo instance: one file for each family of calls, over stores that know nothing of HTTP.

What is documented or recorded is reproduced; where the vendor is silent the choice is noted at the place.
"""

from __future__ import annotations
