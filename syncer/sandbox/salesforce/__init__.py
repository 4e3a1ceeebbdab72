"""Salesforce on loopback: OAuth, Bulk API 2.0, sObject Collections, rows, SOQL and describe.

Written from the vendor's own pages. `world.py` holds the org, `routes.py` its paths, and each family of
operations has a file of its own. Nothing here may know the client it will be used with.
"""
