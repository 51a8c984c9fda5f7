"""The account's modes against the settings. Pure; the rules are those by which a symbol is prepared for its trade."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from withearth.doctor.findings import Finding, ok, problem, sentence, warning
from withearth.domain.errors import Misconfigured
from withearth.execution.preparation import changes, refuse_account
from withearth.execution.shown import AccountModes, SymbolModes
from withearth.settings import Settings

CHECK: Final = "account"


def account_modes(found: AccountModes, settings: Settings) -> Finding:
    """Position mode, multi-assets mode, and whether the account may trade at all."""
    try:
        refuse_account(found, hedge_mode=settings.position_mode == "HEDGE")
    except Misconfigured as error:
        return sentence(CHECK, str(error))
    return ok(CHECK, f"It may trade, is in {settings.position_mode} mode, and margin is not shared between assets.")


def symbol_modes(found: Mapping[str, SymbolModes], occupied: Iterable[str], settings: Settings) -> list[Finding]:
    """Margin type and leverage of each symbol. What differs is set before the first trade, unless something stands."""
    wanted, standing = SymbolModes(settings.margin_type, settings.leverage), set(occupied)
    findings, to_set = [], []
    for symbol, modes in found.items():
        try:
            if changes(symbol, modes, wanted, occupied=symbol in standing):
                to_set.append(symbol)
        except Misconfigured as error:
            findings.append(sentence(CHECK, str(error)))
    if to_set:
        text = (
            f"{', '.join(to_set)} will be set to {wanted.margin_type} and leverage {wanted.leverage} when first traded."
        )
        findings.append(warning(CHECK, text))
    agreed = len(found) - len(to_set) - len(findings) + bool(to_set)
    if agreed:
        findings.append(
            ok(
                CHECK,
                f"{agreed} symbols are {wanted.margin_type} with leverage {wanted.leverage}, as the settings say.",
            )
        )
    return findings


def margin(available: Decimal, settings: Settings) -> Finding:
    """Whether the free margin carries one trade of the largest size."""
    needed = settings.risk_usdt / settings.leverage
    text = f"{available} USDT of margin are free; a trade of RISK_USDT needs {needed.quantize(Decimal('0.01'))}"
    if available <= 0:
        return problem("margin", f"{text}.", "transfer USDT into the futures account")
    if available < needed:
        return warning("margin", f"{text}: trades will be smaller.", "transfer USDT, or lower RISK_USDT")
    return ok("margin", f"{text}.")
