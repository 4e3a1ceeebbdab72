"""Write the demo's input files, the same bytes every time.

The contacts are invented, but as unruly as real ones: repeated keys in differing case, nulls, bad addresses, wrong
types, quotes, commas, line breaks inside cells, names from many languages. Run: `python scripts/make_demo_data.py`.
"""

from __future__ import annotations

import csv
import random
import unicodedata
from datetime import date, timedelta
from pathlib import Path

DATA = Path(__file__).parent.parent / "manifests" / "demo" / "data"
SEED = 20260301
CONTACTS = 24_000

FIRST = (
    "Ada Alan Amélie Anaïs Andrés Aoife Arjun Astrid Ayşe Beatriz Björn Bronisław Camille Chidi Chloé Dagný Đorđe Elif "
    "Emre Esra Fatima Félix François Freja Gül Hana Henrik Hiroshi Ines Ingrid Ivana Jadwiga João Jürgen Kaja Kamala "
    "Kofi Lakshmi Lars Léa Liam Lucía Łukasz Maeve Magnus Małgorzata Marek Mei Miloš Mónica Nadia Naïma Nguyễn Niamh "
    "Noor Oğuz Olga Ömer Øyvind Paweł Priya Rémy Renée Rosalía Ruairí Šárka Siobhán Søren Sofía Tamás Teresa Thiago "
    "Ulrike Víctor Weronika Xiomara Yara Yuki Zoë Žofia 美咲 大輔 Дарья Иван Ελένη"
).split()
LAST = (
    "Almeida Andersson Bauer Béranger Brontë Çelik Chukwu Cruz D'Angelo Dvořák Eriksen Fernández Fitzgerald García "
    "Grünwald Hansen Hernández Horváth Ibáñez Ivanova Jönsson Kaya Kowalczyk Kovačević Kumar Lefèvre Lindqvist López "
    "MacDonald Marković Müller Muñoz Nakamura Nguyen Nielsen Novák O'Brien O'Sullivan Öztürk Papadopoulos Peña "
    "Petrović "
    "Quiñones Řezníček Rossi Saint-Exupéry Santos Schäfer Silva Smith Sørensen Strauß Szabó Tanaka Thøgersen Úlfarsson "
    "van-der-Berg Vasić Wójcik Yamamoto Yılmaz Zając Zieliński 鈴木 Петрова Παππάς"
).split()
COMPANY = (
    "Northwind Traders|Borealis, Inc.|Müller & Söhne GmbH|L'Atelier Numérique|Kowalski i Synowie Sp. z o.o.|"
    'The "Blue" Bottle Company|Ōsaka Precision|Banco del Río, S.A.|Fjord & Fjell AS|O\'Malley Logistics, Ltd.|'
    "Çınar Tekstil|Gelateria Tre Scalini|Helvetia Präzision AG|Société Générale des Eaux|"
    'Acme "Roadrunner" Supplies, LLC|'
    "Zürich Versand|Nordlys Energi|Pampa Alimentos|Kiwi & Co.|Великий Торг"
).split("|")
TITLE = (
    "Marketing Manager|Head of Growth|VP, Sales|Chief Executive Officer|Data Engineer|Office Manager|Buyer|"
    "Directeur commercial|Geschäftsführerin|Jefa de Compras|Operations Lead|Product Owner"
).split("|")
COUNTRY = "DE FR GB IE ES PT PL CZ NO SE DK IT CH AT NL TR JP BR US IN".split()
DOMAIN = "example.com example.org example.net mail.example.com corp.example.org".split()
BAD_EMAIL = ("not-an-address", "missing.at.example.com", "two@@example.com", "space in@example.com", "@example.org")
STREET = ("Hauptstraße", "Rue de la Paix", "High Street", "Calle Mayor", "Długa")
HEADER = (
    "contact_id email first_name last_name company job_title phone country postcode employees score signed_up opt_in "
    "address"
).split()


def plain(text: str) -> str:
    """Return the ASCII letters of a name, for an address; `x` where none are left."""
    letters = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("ø", "o").replace("ı", "i"))
    return "".join(each for each in letters.lower() if each.isascii() and each.isalpha()) or "x"


def contact(number: int, dice: random.Random) -> dict[str, str]:
    """Return one contact that conforms in every cell."""
    first, last = dice.choice(FIRST), dice.choice(LAST)
    street = f"{dice.choice(STREET)} {dice.randint(1, 240)}"
    return {
        "contact_id": f"C-{number:06d}",
        "email": f"{plain(first)}.{plain(last)}.{number}@{dice.choice(DOMAIN)}",
        "first_name": first,
        "last_name": last,
        "company": dice.choice(COMPANY),
        "job_title": dice.choice(TITLE),
        "phone": f"+{dice.randint(30, 49)} {dice.randint(100, 999)} {dice.randint(10_000, 99_999):05d}",
        "country": dice.choice(COUNTRY),
        "postcode": f"{dice.randint(0, 99_999):05d}",
        "employees": str(dice.choice([3, 12, 48, 120, 640, 2_300, 15_000])),
        "score": str(dice.randint(0, 100)),
        "signed_up": (date(2023, 1, 1) + timedelta(days=dice.randrange(1_000))).isoformat(),
        "opt_in": dice.choice(["true", "true", "false"]),
        "address": f"{street}\n{dice.choice(['2. Stock', 'Apt. 4', 'c/o Reception'])}"
        if dice.random() < 0.05
        else street,
    }


def spoil(row: dict[str, str], dice: random.Random) -> None:
    """Do to some rows what people and exports do to theirs."""
    fate = dice.random()
    if fate < 0.030:
        row["phone"] = ""
    elif fate < 0.045:
        row["company"] = ""
    elif fate < 0.055:
        row["job_title"] = row["phone"] = ""
    elif fate < 0.065:
        row["email"] = dice.choice(BAD_EMAIL)
    elif fate < 0.070:
        row["email"] = ""
    elif fate < 0.075:
        row["employees"] = dice.choice(["about 50", "12k", "n/a"])
    elif fate < 0.080:
        row["signed_up"] = dice.choice(["2024-02-30", "31/12/2024", "yesterday"])
    elif fate < 0.090:
        row["email"] = f"  {row['email'].title()} "


def again(row: dict[str, str], dice: random.Random) -> dict[str, str]:
    """Return a later version of the same person: same key in another case, newer values."""
    later = dict(row)
    later["email"] = dice.choice([str.upper, str.title, str.swapcase])(row["email"].strip())
    later["score"] = str(dice.randint(0, 100))
    later["job_title"] = dice.choice(TITLE)
    return later


def contacts() -> list[dict[str, str]]:
    """Return all contacts; about one in fifty comes twice, a few three times."""
    dice = random.Random(SEED)
    rows: list[dict[str, str]] = []
    number = 0
    while len(rows) < CONTACTS:
        number += 1
        row = contact(number, dice)
        if rows and dice.random() < 0.02:
            row = again(dice.choice(rows[-5_000:]), dice)
            row["contact_id"] = row["contact_id"].lower()
        else:
            spoil(row, dice)
        rows.append(row)
    return rows


def guests(everybody: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the guests of one evening: some known contacts, some new people."""
    dice = random.Random(SEED + 1)
    known = [row for row in everybody if row["email"].count("@") == 1 and " " not in row["email"]]
    rows = []
    for index, row in enumerate(dice.sample(known, 120)):
        rows.append(
            {
                "guest": row["email"].lower(),
                "name": f"{row['first_name']} {row['last_name']}",
                "table": str(index % 12 + 1),
            }
        )
    for index in range(60):
        first, last = dice.choice(FIRST), dice.choice(LAST)
        address = f"{plain(first)}.{plain(last)}.guest{index}@example.net"
        rows.append({"guest": address, "name": f"{first} {last}", "table": str(index % 12 + 1)})
    return rows


def campaigns() -> list[dict[str, str]]:
    """Return the season's campaigns."""
    dice = random.Random(SEED + 2)
    return [
        {
            "key": f"SPRING-{index:02d}",
            "title": f"{dice.choice(['Webinar', 'Dinner', 'Newsletter', 'Fair'])}: {dice.choice(COMPANY)}",
            "kind": dice.choice(["Email", "Webinar", "Conference"]),
            "starts": date(2026, 3, 1 + index).isoformat(),
            "cost": str(dice.randint(10, 900) * 100),
        }
        for index in range(24)
    ]


def write(name: str, rows: list[dict[str, str]]) -> None:
    """Write rows as CSV with LF line ends."""
    with (DATA / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    DATA.mkdir(parents=True, exist_ok=True)
    everybody = contacts()
    write("contacts.csv", everybody)
    write("guests.csv", guests(everybody))
    write("campaigns.csv", campaigns())
