"""Hostile bytes for everything that reads bytes: fuzz targets, their corpus, and its replay."""
