"""What outlives a process: journal, ledger, lease."""
