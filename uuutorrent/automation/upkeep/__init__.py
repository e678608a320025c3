"""Disk and line: limits, tidying up, the traffic budget."""
