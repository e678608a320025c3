"""The browser door: a sign-in page, and the screens in a page."""
