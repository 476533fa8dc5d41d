"""Remedies: from a finding's word to a better clip."""
