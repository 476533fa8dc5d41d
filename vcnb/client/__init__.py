"""The hosted service, seen from here: enrollment, and three ways to speak."""
