"""The whole job in one command: a simulated world, a shop of sixty parcels, twenty days in about a minute."""
