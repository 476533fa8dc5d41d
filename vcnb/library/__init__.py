"""What is known about voices and must never be lost: rows in sqlite, sounds as files beside them."""
