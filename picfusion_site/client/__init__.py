"""The `picfusion` command: a site's pictures from any machine, by its API. Needs httpx and rich alone."""
