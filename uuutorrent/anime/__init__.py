"""What people watch: AniList, and the watchlists kept there or here."""
