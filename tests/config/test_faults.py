"""Every fault is told with its line, its key and what to do; and all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.support import VALID, faults, load

TWO_SHOPS = VALID.replace(
    "carriers:\n", '  - {id: boreal, name: Boreal, email: {from: "sac@boreal.example"}}\ncarriers:\n'
)
BOX = "messages: {bounces: %s}\n"
MAIL = "messages: {email: %s}\n"
HOOK = "alerts: [{kind: webhook, url: %s, secret: %s}]\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "name: Loja Aurora", "nmae: Loja Aurora", "3: shops.0.nmae: unknown key (did you mean name?)", id="typo"
        ),
        pytest.param(
            "from: ", "form: ", "4: shops.0.email.form: unknown key (did you mean from?)", id="typo in flow style"
        ),
        pytest.param(
            "user:", "usr:", "8: carriers.0.usr: unknown key (did you mean user?)", id="typo in the adapter's key"
        ),
        pytest.param(
            "aliases:", "alias:", "7: carriers.0.alias: unknown key (did you mean aliases?)", id="typo of ours"
        ),
        pytest.param("    name: Loja Aurora\n", "", "2: shops.0.name: is required (add it)", id="missing key"),
        pytest.param(
            "shops:\n",
            "city_holidays: {Curitiba: [2026-09-08]}\nshops:\n",
            '1: city_holidays.Curitiba: must name a city and its state (such as "Curitiba/PR")',
            id="city without its state",
        ),
        pytest.param(
            "shops:\n",
            "city_holidays: {Curitiba/PR: [8/9]}\nshops:\n",
            "1: city_holidays.Curitiba/PR.0: ",
            id="no date for a city's holiday",
        ),
        pytest.param(
            "shops:\n",
            "rules: {stalled: {business_days: {SEDEX: 0}}}\nshops:\n",
            "1: rules.stalled.business_days.SEDEX: ",
            id="no day at all for a standstill",
        ),
        pytest.param("name: Loja Aurora", "name:", "3: shops.0.name: is required (add it)", id="empty key"),
        pytest.param("id: aurora", "id: Aurora Loja", "2: shops.0.id: cannot be an id", id="id with blanks"),
        pytest.param("id: aurora", "id: en", "2: shops.0.id: is the name of a language", id="id of a language"),
        pytest.param("name: Loja Aurora", "name: [a]", "3: shops.0.name: must be text", id="list for text"),
        pytest.param(
            "sac@aurora.example>", "sac.aurora.example>", "4: shops.0.email.from: is not an e-mail", id="no @"
        ),
        pytest.param(
            "id: veloz", "id: velos", "6: carriers.0.id: there is no such adapter (did you mean veloz?)", id="adapter"
        ),
        pytest.param("kind: folder", "kind: ftp", "11: intake.0.kind: must be folder", id="unknown source"),
        pytest.param(
            "path: inbox", "path: .", "11: intake.0.path: must be a folder of its own", id="the state folder itself"
        ),
        pytest.param(
            "path: inbox",
            "path: a, columns: {V: nmber}",
            "11: intake.0.columns: names an unknown field (did",
            id="field",
        ),
        pytest.param(
            "path: inbox", "path: a, order_pattern: 'x('", "11: intake.0.order_pattern: is not a reg", id="pattern"
        ),
        pytest.param(
            "path: inbox", "path: a, order_pattern: x", "11: intake.0.order_pattern: has no group", id="no group"
        ),
        pytest.param(
            "path: inbox", "path: ../x", "11: intake.0.path: must be a folder of its own", id="out of the state"
        ),
        pytest.param(
            "path: inbox", "path: inbox, shop: auror", "11: intake.0.shop: no shop has this id (did you", id="shop"
        ),
    ],
)
def test_one_fault(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = faults(tmp_path, VALID.replace(old, new))
    assert any(line.startswith(f"config.yaml:{expected}") for line in found), found


@pytest.mark.parametrize(
    ("addition", "expected"),
    [
        pytest.param("rulez: {}\n", "rulez: unknown key (did you mean rules?)", id="unknown block"),
        pytest.param(
            "shops: []\n", "shops: stands twice (first on line 1) (keep one of them)", id="block written twice"
        ),
        pytest.param(
            "engine: procrastinate\n",
            "engine: procrastinate needs a PostgreSQL database (name one in database.url",
            id="shared lanes on the default database",
        ),
        pytest.param(
            "engine: procrastinate\ndatabase: {url: 'sqlite:///x.db'}\n",
            "engine: procrastinate needs a PostgreSQL database",
            id="shared lanes on SQLite",
        ),
        pytest.param("engine: locl\n", "engine: must be local or procrastinate", id="unknown engine"),
        pytest.param("timezone: Brasil\n", "timezone: is not a time zone (such as America/Sao_Paulo)", id="time zone"),
        pytest.param("database: {url: 'sqlite://'}\n", "database.url: must name a file", id="database in memory"),
        pytest.param("database: {url: 'mysql://x'}\n", "database.url: is no database we know", id="unknown database"),
        pytest.param(
            "rules: {polling: {in_transit_hours: 0}}\n",
            "rules.polling.in_transit_hours: is too small (at least 1)",
            id="small",
        ),
        pytest.param(
            "rules: {polling: {urgent_minutes: 5000}}\n", "rules.polling.urgent_minutes: is too large", id="large"
        ),
        pytest.param("rules: {not_found_days: ten}\n", "rules.not_found_days: must be a whole number", id="no number"),
        pytest.param(
            "rules: {max_age_hours: {postd: 3}}\n",
            "rules.max_age_hours.postd: is no trigger (did you mean posted?)",
            id="trigger",
        ),
        pytest.param(
            'rules: {delivered_between: ["20:00", "09:00"]}\n', "rules.delivered_between: must begin before", id="hours"
        ),
        pytest.param(
            'rules: {delivered_between: ["9h", "20:00"]}\n',
            "rules.delivered_between.0: is not a time of day",
            id="hour",
        ),
        pytest.param(
            "rules: {polling: {second_looks_days: [3, 1]}}\n", "rules.polling.second_looks_days: must grow", id="looks"
        ),
        pytest.param("rules: [1]\n", "rules: must be a block of keys", id="list for a block"),
        pytest.param(
            "messages: {preset: problem}\n",
            "messages.preset: must be all, none or problems (did you mean problems?)",
            id="preset",
        ),
        pytest.param(
            "messages: {triggers: {postd: [email]}}\n",
            "messages.triggers.postd: is no trigger (did you mean posted?)",
            id="triggr",
        ),
        pytest.param(
            "messages: {triggers: {posted: [mail]}}\n",
            "messages.triggers.posted.0: must be email, whatsapp_link",
            id="channel",
        ),
        pytest.param(
            "messages: {triggers: {posted: email}}\n", "messages.triggers.posted: must be a list", id="no list"
        ),
        pytest.param(
            "messages: {triggers: {posted: [email, email]}}\n",
            "messages.triggers: posted names a channel twice",
            id="twice",
        ),
        pytest.param(
            "messages: {redirect_to: Ana <a@b.example>}\n", "messages.redirect_to: must be a bare e-mail", id="redirect"
        ),
        pytest.param(
            MAIL % "{host: smtp.example, security: none}", "messages.email.security: may be none only", id="clear text"
        ),
        pytest.param(
            MAIL % "{user: u}", "messages.email.password: goes together with user", id="user without password"
        ),
        pytest.param(
            MAIL % "{password: p}", "messages.email.password: goes together with user", id="password without user"
        ),
        pytest.param(MAIL % "[{host: smtp.example, pot: 25}]", "messages.email.0.pot: unknown key", id="in a list"),
        pytest.param(MAIL % "[]", "messages.email: is empty", id="no account"),
        pytest.param(MAIL % "smtp.example", "messages.email: must be a block of keys", id="neither block nor list"),
        pytest.param(
            MAIL % "[{host: smtp.example}, {host: smtp.example, user: u, password: p}]",
            "messages.email.1.id: has the name of messages.email.0",
            id="two accounts at one host",
        ),
        pytest.param(
            MAIL % "[{host: smtp.example, shops: [nenhuma]}, {}]",
            "messages.email.0.shops.0: no shop has this id",
            id="account of no shop",
        ),
        pytest.param(BOX % "{host: imap.example, user: u}", "messages.bounces.password: is required", id="no password"),
        pytest.param(
            BOX % "{host: imap.example, user: u, password: p, security: none}",
            "messages.bounces.security: may be none only",
            id="returned mail in clear text",
        ),
        pytest.param(
            BOX % "{host: imap.example, user: u, password: p, verp: true}",
            "messages.bounces.verp: needs return_path",
            id="no address to vary",
        ),
        pytest.param(MAIL % "{host: 'smtp.example:25'}", "messages.email.host: is not a host name", id="port in host"),
        pytest.param(
            HOOK % ("'http://a.example/x'", "abcdefghijklmnop"), "alerts.0.url: must be https", id="http abroad"
        ),
        pytest.param(
            HOOK % ("'https://u:p@a.example'", "abcdefghijklmnop"), "alerts.0.url: must not hold a user", id="userinfo"
        ),
        pytest.param(HOOK % ("a.example", "abcdefghijklmnop"), "alerts.0.url: is not a web address", id="no scheme"),
        pytest.param(HOOK % ("'https://a.example'", "short"), "alerts.0.secret: is too short", id="short secret"),
        pytest.param(
            HOOK % ("'https://a.example'", "'whsec_?'"), "alerts.0.secret: begins with whsec_", id="broken secret"
        ),
        pytest.param(
            "alerts: [{kind: webhook, url: 'https://a.example'}]\n", "alerts.0.secret: is required", id="no secret"
        ),
        pytest.param(
            "alerts: [{kind: email, to: []}]\n",
            "alerts.0.to: is empty (at least one entry)",
            id="alerts to nobody",
        ),
        pytest.param(
            "alerts: [{kind: log, kinds: [mail_dwon]}]\n",
            "alerts.0.kinds.0: is no kind of alert (did you mean mail_down?)",
            id="a kind of alert that there is not",
        ),
        pytest.param(
            "alerts: [{kind: apprise, urls: ['nosuch://geheim']}]\n",
            "alerts.0.urls.0: is no address that Apprise knows",
            id="an address of no service",
        ),
        pytest.param(
            "alerts: [{kind: email, to: [a@b.example], quiet: {from: '22:00', to: '25:00'}}]\n",
            "alerts.0.quiet.to: is not a time of day",
            id="quiet until no time",
        ),
        pytest.param(
            "ping: {url: 'http://elsewhere.example/x'}\n", "ping.url: must be https", id="a ping in the clear"
        ),
        pytest.param("alerts: [{kind: pager}]\n", "alerts.0.kind: must be one of log, webhook", id="alert kind"),
        pytest.param("alerts: [{url: 'https://a.example'}]\n", "alerts.0: has no kind", id="alert without kind"),
        pytest.param(
            "alerts: [{kind: log, ulr: x}]\n", "alerts.0.ulr: unknown key", id="unknown key of one of several kinds"
        ),
        pytest.param(
            "web: {public: '127.0.0.1:8080'}\n",
            "web.public: is the operator's address",
            id="one address for both listeners",
        ),
        pytest.param("web: {operator: 8080}\n", "web.operator: is not host:port", id="listener"),
    ],
)
def test_one_fault_in_what_may_be_left_out(tmp_path: Path, addition: str, expected: str) -> None:
    found = faults(tmp_path, VALID + addition)
    assert found[0].startswith(f"config.yaml:12: {expected}"), found
    assert len(found) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param('cnpj: "12345678000196"', "cnpj: is not a valid CNPJ", id="check digits"),
        pytest.param('origin_postal_code: "800"', "origin_postal_code: is not a CEP", id="short postal code"),
        pytest.param("live_from: 20261201", "live_from: is not a date", id="a date without hyphens is no timestamp"),
        pytest.param("live_from: 2026-02-30", "live_from: is not a day of the calendar", id="no such day"),
        pytest.param("holidays: {state: XX}", "holidays.state: is not a Brazilian state", id="unknown state"),
        pytest.param("holidays: {extra: [7/9/2026]}", "holidays.extra.0: is not a date", id="date of the country"),
        pytest.param(
            "digest: {to: [], at: '08:00'}", "digest.to: is empty (at least one entry)", id="digest to nobody"
        ),
        pytest.param("language: pt", "language: must be pt-BR or en", id="language"),
    ],
)
def test_one_fault_of_a_shop(tmp_path: Path, line: str, expected: str) -> None:
    found = faults(tmp_path, VALID.replace("    name:", f"    {line}\n    name:"))
    assert len(found) == 1
    assert found[0].startswith(f"config.yaml:3: shops.0.{expected}")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param("base_url: http://api.veloz.example", "base_url: must be https", id="http abroad"),
        pytest.param("base_url: https://api.veloz.example/?a=1", "base_url: must end with the path", id="query"),
        pytest.param("shops: [auror]", "shops.0: no shop has this id (did you mean aurora?)", id="unknown shop"),
        pytest.param("claims: {mode: on}", "claims.mode: must be off, propose or auto", id="unknown mode"),
        pytest.param(
            "claims: {max_value: 1.500}", "claims.max_value: is not an amount in reais", id="which point is it"
        ),
        pytest.param(
            "claims: {phone: 1, packging: box}",
            "claims.packging: unknown key (did you mean packaging?)",
            id="adapter's",
        ),
        pytest.param(
            'claims: {phone: "1", packaging: bag}', "claims.packaging: must be box or envelope", id="adapter's choice"
        ),
        pytest.param(
            'claims: {phone: "1", letter_to: "SAC <sac@veloz.example>"}',
            "claims.letter_to: must be a bare e-mail",
            id="an address with a name",
        ),
        pytest.param(
            'claims: {phone: "1", letter_cc: sac@veloz.example}',
            "claims.letter_cc: must be a list",
            id="one for a list",
        ),
        pytest.param("claims: {packaging: box}", "claims.phone: is required", id="adapter's key is missing"),
        pytest.param("requests_per_second: 0", "requests_per_second: is too small (more than 0)", id="no requests"),
        pytest.param("own: {}", "own: unknown key", id="a name of the model's that is no key"),
        pytest.param('aliases: ["--"]', "aliases.0: holds neither letter nor digit", id="alias of marks"),
    ],
)
def test_one_fault_of_a_carrier(tmp_path: Path, lines: str, expected: str) -> None:
    found = faults(tmp_path, VALID.replace("    aliases: [Expresso Veloz]", f"    {lines}"))
    assert any(line.startswith(f"config.yaml:7: carriers.0.{expected}") for line in found), found


def test_all_faults_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        VALID.replace("id: aurora", "id: Aurora!")
        .replace("user: conta-1", "user: [1]")
        .replace("veloz\n", "velos\n", 1)
    )
    text = text.replace("kind: folder", "kind: ftp, shop: nobody") + "rules: {not_found_days: x, delay: {grace: 1}}\n"
    text += "messages: {email: {password: '${MISSING}', user: u}}\nrules: {}\n"
    assert [line.split(": ")[0:2] for line in faults(tmp_path, text)] == [
        ["config.yaml:2", "shops.0.id"],
        ["config.yaml:6", "carriers.0.id"],
        ["config.yaml:11", "intake.0.kind"],
        ["config.yaml:11", "intake.0.shop"],
        ["config.yaml:12", "rules.delay.grace"],
        ["config.yaml:12", "rules.not_found_days"],
        ["config.yaml:13", "messages.email.password"],
        ["config.yaml:14", "rules"],
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "config.yaml:1: (file): holds no configuration (write one with tracker init)", id="empty"),
        pytest.param("- a\n", "config.yaml:1: (file): holds no configuration", id="a list"),
        pytest.param("shops: [\n", "config.yaml:2: (file): cannot be read", id="broken YAML"),
        pytest.param(
            "shops: x\ncarriers: 5\nintake: {}\n", "config.yaml:1: shops: must be a list", id="words for lists"
        ),
        pytest.param(
            "shops: [1, x]\ncarriers: [2]\n", "config.yaml:1: shops.0: must be a block of keys", id="no blocks"
        ),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str, expected: str) -> None:
    assert faults(tmp_path, text)[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            TWO_SHOPS.replace("id: boreal", "id: aurora").replace("path: inbox", "path: inbox, shop: aurora"),
            ["5: shops.1.id: is the id of shops.0 already (give each its own)"],
            id="two shops of one id",
        ),
        pytest.param(
            TWO_SHOPS,
            ["12: intake.0.shop: is required where there are several shops (known here: aurora, boreal)"],
            id="whose orders",
        ),
        pytest.param(
            VALID.replace("intake:", "  - {id: lenta, aliases: [EXPRESSO véloz], user: b, token: segredo}\nintake:"),
            ["10: carriers.1.aliases.0: names another carrier too (carriers.0.aliases.0) (keep it at one of them)"],
            id="one alias for two carriers, but for case and accent",
        ),
        pytest.param(
            VALID.replace("intake:", "  - {id: lenta, aliases: [veloz], user: b, token: segredo}\nintake:"),
            ["10: carriers.1.aliases.0: names another carrier too (carriers.0.id) (keep it at one of them)"],
            id="an alias that is another's id",
        ),
        pytest.param(
            VALID.replace("intake:", "  - {id: veloz-2, adapter: veloz, user: conta-1, token: segredo}\nintake:"),
            ["10: carriers.1: is the same account as carriers.0 (keep one entry and list all its shops there)"],
            id="one account twice",
        ),
        pytest.param(
            VALID + "  - {kind: folder, path: inbox/sub}\n",
            ["12: intake.1.path: lies in or around the folder of intake.0 (use separate folders)"],
            id="folder within a folder",
        ),
    ],
)
def test_rules_between_keys(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert faults(tmp_path, text) == [f"config.yaml:{line}" for line in expected]


def test_shops_that_share_no_carrier_may_use_the_same_alias(tmp_path: Path) -> None:
    text = TWO_SHOPS.replace("aliases: [Expresso Veloz]", "aliases: [expresso]\n    shops: [aurora]")
    text = text.replace(
        "intake:", "  - {id: lenta, aliases: [expresso], shops: [boreal], user: b, token: segredo}\nintake:"
    )
    settings = load(tmp_path, text.replace("path: inbox", "path: inbox, shop: aurora")).settings
    assert settings.carrier_for("EXPRESSO", "aurora") == "veloz"
    assert settings.carrier_for("EXPRESSO", "boreal") == "lenta"
