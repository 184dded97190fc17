"""Invented customers, addresses and goods.

Nobody here exists: family names say so, CPF numbers begin with a row of zeros, mail goes to example.com, and phone
numbers are counted up from 90000-0000.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random

_GIVEN = (
    "Antônia", "João", "Conceição", "José", "Júlia", "Luís", "Inês", "Sebastião", "Letícia", "Vinícius", "Mônica",
    "Fábio", "Verônica", "Estêvão", "Lúcia", "Otávio", "Glória", "Cauã", "Flávia", "Ângelo", "Thaís", "Márcio",
)  # fmt: skip
_FAMILY = (
    "Araújo Fictício", "Gonçalves da Invenção", "D'Ávila Imaginária", "Simões do Ensaio", "Brandão Exemplo",
    "Magalhães de Teste", "Sá Inventada", "Assunção Modelo", "Falcão do Rascunho", "Patrício Amostra",
    "Leão de Papel", "Corrêa Hipotética", "Quitéria do Cenário",
)  # fmt: skip
_STREETS = ("Rua das Acácias", "Avenida Brasília", "Travessa São João", "Rua Três Irmãos", "Alameda Araçá", "Rua Ipê")
_DISTRICTS = ("Centro", "Jardim América", "São José", "Boa Esperança", "Conceição")
_COMPLEMENTS = ("", "", "Apto 32", "Casa 2", "Bloco B, apto 104", "Fundos")
_GOODS = (
    ("Caneca de cerâmica", 4990), ("Livro “Sertão à vista”", 6450), ("Fone de ouvido sem fio", 18990),
    ("Camiseta algodão orgânico", 8990), ("Coador de café", 3790), ("Luminária de mesa", 21900),
    ("Quebra-cabeça 1000 peças", 9950), ("Mochila impermeável", 25990), ("Kit pincéis de aquarela", 7430),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A city parcels go to; `postal_prefix` is the first five digits of a postal code there."""

    city: str
    state: str
    postal_prefix: str
    phone_area: str

    @property
    def unit_city(self) -> str:
        """The name as the carrier writes it: upper case, no accents."""
        return plain(self.city).upper()


PLACES = (
    Place("São Paulo", "SP", "01310", "11"), Place("Campinas", "SP", "13015", "19"),
    Place("Rio de Janeiro", "RJ", "20040", "21"), Place("Niterói", "RJ", "24020", "21"),
    Place("Vitória", "ES", "29010", "27"), Place("Belo Horizonte", "MG", "30130", "31"),
    Place("Uberlândia", "MG", "38400", "34"), Place("Salvador", "BA", "40020", "71"),
    Place("Aracaju", "SE", "49010", "79"), Place("Recife", "PE", "50010", "81"), Place("Maceió", "AL", "57020", "82"),
    Place("João Pessoa", "PB", "58010", "83"), Place("Natal", "RN", "59010", "84"),
    Place("Fortaleza", "CE", "60010", "85"), Place("Teresina", "PI", "64000", "86"),
    Place("São Luís", "MA", "65010", "98"), Place("Belém", "PA", "66010", "91"), Place("Macapá", "AP", "68900", "96"),
    Place("Manaus", "AM", "69005", "92"), Place("Boa Vista", "RR", "69301", "95"),
    Place("Rio Branco", "AC", "69900", "68"), Place("Brasília", "DF", "70040", "61"),
    Place("Goiânia", "GO", "74003", "62"), Place("Porto Velho", "RO", "76801", "69"),
    Place("Palmas", "TO", "77001", "63"), Place("Cuiabá", "MT", "78005", "65"),
    Place("Campo Grande", "MS", "79002", "67"), Place("Maringá", "PR", "87013", "44"),
    Place("Florianópolis", "SC", "88010", "48"), Place("Porto Alegre", "RS", "90010", "51"),
)  # fmt: skip
ORIGIN = Place("Curitiba", "PR", "80010", "41")


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys and where the parcel goes; `document` eleven digits, `postal_code` eight."""

    name: str
    email: str
    phone: str
    document: str
    place: Place
    postal_code: str
    street: str
    number: str
    complement: str
    district: str


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    quantity: int
    unit_cents: int


def plain(text: str) -> str:
    """Return *text* without accents."""
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def cpf_for(serial: int) -> str:
    """Return a CPF with right check digits (weights by Receita Federal) that no person can have."""
    digits = [int(char) for char in f"{serial:09d}"]
    for first_weight in (10, 11):
        total = sum(digit * (first_weight - index) for index, digit in enumerate(digits))
        digits.append((total * 10) % 11 % 10)
    return "".join(map(str, digits))


def make_customer(rng: Random, serial: int, place: Place) -> Customer:
    """Return the *serial*-th customer, living in *place*; the same generator state gives the same person."""
    given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
    local_part = plain(f"{given}.{family.split()[-1]}").lower()
    return Customer(
        name=f"{given} {family}",
        email=f"{local_part}.{serial:03d}@example.com",
        phone=f"({place.phone_area}) 90000-{serial % 10000:04d}",
        document=cpf_for(100 + serial),
        place=place,
        postal_code=f"{place.postal_prefix}{rng.randrange(10, 800):03d}",
        street=rng.choice(_STREETS),
        number=str(rng.randrange(1, 2000)),
        complement=rng.choice(_COMPLEMENTS),
        district=rng.choice(_DISTRICTS),
    )


def make_items(rng: Random) -> tuple[Item, ...]:
    """Return one to three different things in the basket."""
    return tuple(Item(name, rng.randrange(1, 3), cents) for name, cents in rng.sample(_GOODS, rng.randrange(1, 4)))
