"""Reports of incidents, windows and days: what is stored, told in one page for a person or a ticket."""
