"""What goes wrong around driftbell, made to happen: kills, outages, lost replies, full disks, bad clocks."""
