"""The public pages, which need no sign-in: each is behind a signed link."""
