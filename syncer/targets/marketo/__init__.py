"""The Marketo REST and bulk APIs."""
