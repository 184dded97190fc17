"""Money: integer centavos between functions, `Decimal` to read and show, one way of rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def to_cents(amount: Decimal) -> int:
    """Reais to centavos, half a centavo up."""
    return int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def in_reais(cents: int) -> str:
    """Centavos as Brazilians write them: `R$ 1.234,50`."""
    sign = "-" if cents < 0 else ""
    reais, rest = divmod(abs(cents), 100)
    return f"{sign}R$ {f'{reais:,}'.replace(',', '.')},{rest:02d}"
