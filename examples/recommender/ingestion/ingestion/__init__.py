"""Clicks and impressions of files that arrive in raw become rows of tables of curated."""
