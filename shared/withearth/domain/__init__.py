"""Values and rules of trading. Nothing here does I/O, reads a clock or imports a vendor."""
