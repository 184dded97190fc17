"""shipment-tracker: active after-sales for online shops. `docs/architecture.md` shows the way of the data."""

__version__ = "0.1.0"
