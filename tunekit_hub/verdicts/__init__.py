"""Which models may be candidates, and what their licenses allow."""
