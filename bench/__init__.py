"""How fast the program is, as ratios to the same work done bare in the same run: `python -m bench [--quick]`."""
