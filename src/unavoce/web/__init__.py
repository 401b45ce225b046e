"""The page that a browser gets: its files, and how they are served. `player/` is a package for others as well."""
