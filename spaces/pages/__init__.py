"""The pages of the Space, a file each; `home.py` puts them together."""
