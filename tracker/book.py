"""The carriers of this configuration: their adapters, and which of them carries a package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carriers.base import Adapter, ClaimsByLetter, ClaimTerms, RefKind, TrackingRef
from carriers.codes import normal
from carriers.http import CarrierHttp
from carriers.invoice import invoice_ref, ref_of_key
from carriers.numbers import INVOICE, Certainty, Recognised, recognise
from tracker.config import Settings
from tracker.domain.order import Package
from tracker.intake.codes import Unfollowed
from tracker.intake.options import ReadOptions
from tracker.store.order_rows import Parcel


@dataclass(frozen=True)
class Account:
    """One entry of `carriers:`, built. `digest` changes with its configuration."""

    id: str
    name: str
    adapter: Adapter
    http: CarrierHttp
    digest: str

    @property
    def claim_terms(self) -> ClaimTerms | None:
        """The terms under which it takes claims, by API or by letter."""
        return self.adapter.claims.claim_terms if self.adapter.claims is not None else None

    @property
    def claims_by_letter(self) -> bool:
        """Whether a person has to send its claims."""
        return isinstance(self.adapter.claims, ClaimsByLetter)


@dataclass(frozen=True)
class CarrierBook:
    """Every account, by its id."""

    settings: Settings
    accounts: Mapping[str, Account]

    def parcel(self, shop: str, package: Package, options: ReadOptions) -> Parcel | Unfollowed:
        """The package with its carrier and number, or why it cannot be followed."""
        account = self._account(shop, package)
        if account is None:
            if not package.carrier_raw:
                return Unfollowed(
                    "A transportadora não foi informada e não é certa pelo código; preencha a coluna Transportadora."
                    + suggestion(package.tracking_code)
                )
            return Unfollowed(
                f"A transportadora {package.carrier_raw} não está na configuração; "
                "acrescente-a em carriers, ou o nome dela em aliases."
            )
        ref = self._ref(account, package, self.settings.shop(shop).cnpj, options)
        if ref is None:
            if not takes_codes(account):
                name = self.settings.carrier(account.id).known_as(account.adapter.TITLE)
                reason = (
                    f"{name} é acompanhada pela nota fiscal; informe a chave de acesso da NF-e (44 caracteres) "
                    "e envie a linha de novo."
                )
                return Unfollowed(reason, package.tracking_code)
            shown = package.tracking_code or "(sem código)"
            reason = f"O código {shown} não é um código de {account.adapter.TITLE}; confira e envie a linha de novo."
            hint = suggestion(package.tracking_code, but=account.adapter.NAME)
            return Unfollowed(reason, package.tracking_code, hint)
        return Parcel(package, account.id, account.adapter.NAME, ref)

    def _account(self, shop: str, package: Package) -> Account | None:
        named = self.settings.carrier_for(package.carrier_raw, shop)
        if named is not None:
            return self.accounts.get(named)
        if package.carrier_raw and (titled := self._titled(shop, package.carrier_raw)) is not None:
            return titled
        if package.carrier_raw or not package.tracking_code:
            return None
        # No carrier named: the number tells, where only one of the shop's carriers writes numbers like it. Which of several
        # contracts with that one it belongs to is found out by asking.
        fitting = [
            account
            for carrier in self.settings.carriers_of(shop)
            if (account := self.accounts.get(carrier.id)) is not None and _normalised(account, package.tracking_code)
        ]
        if not fitting and len(self.settings.carriers_of(shop)) == 1:
            return self.accounts.get(self.settings.carriers_of(shop)[0].id)
        if len({account.name for account in fitting}) != 1:
            return None
        # An adapter that takes whatever has digits is no proof against a shape that is another carrier's own.
        others = _families(package.tracking_code)
        return fitting[0] if not others or fitting[0].name in others else None

    def _titled(self, shop: str, carrier_raw: str) -> Account | None:
        """The one account whose adapter is called so: orders of platforms name carriers by their titles."""
        wanted = normal(carrier_raw)
        found = [
            account
            for carrier in self.settings.carriers_of(shop)
            if (account := self.accounts.get(carrier.id)) is not None
            and wanted in (normal(account.adapter.TITLE), normal(account.name.replace("_", " ")))
        ]
        return found[0] if len(found) == 1 else None

    @staticmethod
    def _ref(account: Account, package: Package, cnpj: str | None, options: ReadOptions) -> TrackingRef | None:
        tracking = account.adapter.tracking
        if tracking is None:
            return None
        if package.tracking_code:
            found = _normalised(account, package.tracking_code)
            if found is None and options.accept_bad_check_digits and takes_codes(account):
                return TrackingRef(RefKind.CODE, package.tracking_code)
            # Where the carrier has no codes, what stands in their column is some other number of the shop's.
            if found is not None or takes_codes(account):
                return found
        return by_invoice(account, package, cnpj)


def by_invoice(account: Account, package: Package, cnpj: str | None) -> TrackingRef | None:
    """What this account may ask for where a package has no number of its own: its access key, or the invoice behind it.

    Args:
        cnpj: the shop's own, whose invoice a bare series and number is.
    """
    tracking = account.adapter.tracking
    kinds = tracking.tracking_terms.ref_kinds if tracking is not None else ()
    if package.invoice_key and RefKind.INVOICE_KEY in kinds:
        return TrackingRef(RefKind.INVOICE_KEY, package.invoice_key)
    return _invoice(package, cnpj) if RefKind.INVOICE in kinds else None


def takes_codes(account: Account) -> bool:
    """Whether the carrier writes numbers of its own; one that writes none is told of goods by their invoice."""
    tracking = account.adapter.tracking
    return tracking is None or RefKind.CODE in tracking.tracking_terms.ref_kinds


def _invoice(package: Package, cnpj: str | None) -> TrackingRef | None:
    """The invoice behind the package's key, else the shop's own of this series and number (`1/4711`, `1-4711`)."""
    if package.invoice_key:
        return ref_of_key(package.invoice_key)
    series, mark, number = (package.invoice_number or "").replace("-", "/").partition("/")
    return invoice_ref(cnpj, series, number) if cnpj and mark and series.strip() else None


def _recognised(code: str | None) -> list[Recognised]:
    """Whose number it is by more than a shape that many share."""
    return [one for one in recognise(code or "") if one.certainty is not Certainty.SHAPE]


def _families(code: str | None) -> set[str]:
    return {one.family for one in _recognised(code)}


def suggestion(code: str | None, but: str = "") -> str:
    """Whose code this seems to be, for a person to decide: a sentence with a blank before it, or nothing.

    *but* is the adapter that has said already that it is none of its own. Shapes alone, which many share, suggest nothing.
    """
    found = [one for one in _recognised(code) if one.family != but]
    if not found:
        return ""
    if found[0].family == INVOICE[0]:
        return " Parece a chave de uma NF-e; informe-a na coluna Chave da NF-e."
    names = " ou ".join(dict.fromkeys(one.title for one in found))
    return f" Parece um código de {names}; se for, informe a transportadora na coluna Transportadora."


def _normalised(account: Account, code: str) -> TrackingRef | None:
    return account.adapter.tracking.normalise(code) if account.adapter.tracking is not None else None
