"""A plain second reading of the law that exists to disagree with the engine: dicts, loops and exact fractions.

It answers for one line at one instant from the text form of docs/law-data.md; interpreter_time says what stands
then, this half what is charged. `schedule` is `{code: {column: (ad valorem, USD per unit, unit)}}` with the columns
general, other and program symbols; `units` is `{unit: (dimension, factor)}`; a line is `{hts, origin, entry, value,
claims, quantity, unit}` and perhaps its `mode`. Everything is text.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from tests.law.interpreter_time import Moment, Raw, instant, listed, market, number

PARTS = ("steel", "aluminum", "copper", "us_below_cap", "us_above_cap", "rest", "processing")
METALS = PARTS[:3]
COVERS = {"full": PARTS[:6], "us": PARTS[3:5], "us_capped": PARTS[3:4], **{part: (part,) for part in PARTS}}
AD_VALOREM = ("add", "topup_to", "total")
ZERO = Fraction(0)
Key = tuple[str, str, str]
Weights = dict[str, Fraction]
NOTHING: Weights = dict.fromkeys(PARTS, ZERO)


def weights(base: Mapping[str, str]) -> Weights:
    """A base as a weight on each disjoint part of the value."""
    return {
        part: sum((number(w) for term, w in base.items() if part in COVERS[term]), ZERO) for part in PARTS
    }


def moved(rate: Fraction, act: Raw) -> Fraction:
    """A rate after an act that gives another, or moves it by points or by a factor."""
    by = act.get("by", "+0pp")
    if "rate" in act:
        return number(act["rate"])
    return max(ZERO, rate + number(by[:-2]) / 100) if by[-2:] == "pp" else rate * number(by[1:])


class Reading:
    """`layers` {(measure, heading, state): (base, amount, owed)} of one line, and their sums `assessed`, `owed`.

    `like` is a reading of the same goods at the same instant with the same declared dates: where measures stand for
    them is taken from it.
    """

    def __init__(
        self,
        law: Raw,
        line: Raw,
        schedule: Mapping[str, Mapping[str, tuple[str, str, str]]],
        units: Mapping[str, tuple[str, str]],
        known_on: str = "",
        switches: Mapping[str, str] | None = None,
        changes: Iterable[Raw] = (),
        like: Reading | None = None,
    ) -> None:
        self.law, self.line, self.units, self.columns = law, line, units, schedule[line["hts"]]
        self.moment = Moment(law, line, known_on, switches or {}, changes)
        self.value = Fraction(int(Fraction(line["value"]) + Fraction(1, 2)))
        stands = self.moment.standing
        self.standing: Raw = like.standing if like else {m["id"]: stands(m) for m in law["measures"]}
        bases: dict[Key, Fraction] = defaultdict(Fraction)
        self.exact: dict[Key, Fraction] = defaultdict(Fraction)
        due: dict[Key, bool] = {}
        for weight, facts in self.atoms():
            for key, base, amount, owed in self.priced(facts):
                bases[key], self.exact[key] = bases[key] + weight * base, self.exact[key] + weight * amount
                due[key] = owed
        cents = {key: Fraction(int(amount * 100 + Fraction(1, 2)), 100) for key, amount in self.exact.items()}
        self.layers = {key: (bases[key], cents[key], cents[key] * due[key]) for key in cents}
        self.assessed = sum(cents.values(), ZERO)
        self.owed = sum((owed for *_, owed in self.layers.values()), ZERO)
        self.exact_owed = sum((amount for key, amount in self.exact.items() if due[key]), ZERO)

    def atoms(self) -> Iterator[tuple[Fraction, Raw]]:
        """Facts with every declared share a yes or no, and the weight of each combination."""
        partitions: dict[str, dict[str, Fraction]] = defaultdict(dict)
        facts: Raw = {"mode": self.line["mode"]} if self.line.get("mode") else {}
        for name, declared in self.line["claims"].items():
            kind = self.law["claims"][name]["type"]
            if kind == "share":
                partitions[self.law["claims"][name].get("partition", name)][name] = number(declared)
            elif kind == "date":
                facts[name] = instant(declared, self.moment.zone)
            elif kind == "bool":
                facts[name] = declared == "yes"
            else:
                facts[name] = declared if kind == "code" else number(declared)
        choices = [[*p.items(), ("", 1 - sum(p.values()))] for p in partitions.values()]
        for combination in itertools.product(*choices):
            weight, yes = Fraction(1), {name for name, _ in combination}
            for _, share in combination:
                weight *= share
            if weight:
                yield weight, facts | {name: name in yes for p in partitions.values() for name in p}

    def layer(self, measure: Raw, facts: Raw) -> Raw | None:
        """The first row that fits the facts after all acts, as a layer before stacking; None if none fits."""
        rows, acts, openly, start, owed = self.standing[measure["id"]] or ([], [], [], None, True)
        told = [row for row in rows if row.get("undeclared") == "applies"]
        row = next((row for row in rows if self.all_hold(row, facts, undeclared=row in told)), None)
        if row is None:
            return None
        kind = row.get("kind", "add")
        layer: Raw = {"state": "applied", "heading": "", "base": {"full": "1"}}
        layer |= {**row, "kind": kind, "owed": owed, "id": measure["id"]}
        layer |= {"node": f"{measure['authority']}.", "usd": row.get("rate")}
        layer["rate"] = number(row["rate"]) if kind in AD_VALOREM else None
        if kind == "ordinary" or (kind == "add" and layer["rate"] == 0):
            return layer | {"state": "applied" if kind == "ordinary" else "exempt"}
        for act in self.moment.by_time(acts, "set_rate") if kind in AD_VALOREM else []:
            if start is not None and instant(act["start"], self.moment.zone) >= start:
                layer |= {key: act[key] for key in ("heading", "base") if act.get(key)}
                layer["rate"] = moved(layer["rate"], act)
        if kind == "add" and layer["rate"] == 0:
            return layer | {"state": "exempt"}
        if openly and kind == "prohibition":
            return layer | {"rate": ZERO, "state": "suspended"}
        if openly:
            kept = number(openly[-1].get("kept", "0"))
            layer["heading"] = [layer["heading"], *(act["heading"] for act in openly if "heading" in act)][-1]
            layer |= {"rate": kept, "state": "applied" if kept else "suspended"}
            layer["kind"] = kind if kind in AD_VALOREM else "add"
        return layer

    def all_hold(self, thing: Raw, facts: Raw, *, undeclared: bool = False) -> bool:
        return all(self.moment.holds(one, facts, undeclared) for one in listed(thing.get("if", [])))

    def fitting(self, facts: Raw) -> list[Raw]:
        wanted = ("export", self.line["to"]) if "to" in self.line else ("import", "")
        entering = [measure for measure in self.law["measures"] if self.way(measure) == wanted]
        return [layer for measure in entering if (layer := self.layer(measure, facts))]

    def way(self, measure: Raw) -> tuple[str, str]:
        """Direction of the goods that a measure is on, and for exports their destination."""
        direction = measure.get("direction", "import")
        to = measure.get("destination", self.law["version"].get("destination", ""))
        return direction, to if direction == "export" else ""

    def parts(self, facts: Raw) -> tuple[Raw, Weights, Weights]:
        """The facts with metal contents filled in, and the value of each part of the line, with and without metals."""
        shares = {metal: facts.get(f"{metal}_share") for metal in METALS}
        if all(share is None for share in shares.values()):
            named = [(layer["rate"] or ZERO, -METALS.index(metal), metal) for layer in self.fitting(facts)
                     for metal in METALS if number(layer["base"].get(metal, "0")) > 0]  # fmt: skip
            shares |= {max(named)[2]: Fraction(1)} if named else {}
        contents = {metal: share or ZERO for metal, share in shares.items()}
        if any(share is not None for share in shares.values()):
            facts = facts | {f"{m}_share": s for m, s in contents.items()}
        return facts, self.divided(facts, contents), self.divided(facts, dict.fromkeys(METALS, ZERO))

    def divided(self, facts: Raw, contents: Mapping[str, Fraction]) -> Weights:
        """The value of each part; what is of the United States is so outside the metals alone."""
        left = 1 - sum(contents.values())
        us = min(facts.get("us_content_share", ZERO), left)
        capped = min(us, number(self.law["terms"]["us_capped"]["cap"]))
        values = [self.value * share for share in (*contents.values(), capped, us - capped, left - us)]
        values.append(min(facts.get("processing_value", self.value), self.value))
        return dict(zip(PARTS, values, strict=True))

    def priced(self, facts: Raw) -> Iterator[tuple[Key, Fraction, Fraction, bool]]:
        """Every layer of an atom as (key, base, amount, owed)."""
        facts, divided, undivided = self.parts(facts)
        banned = [x for x in self.fitting(facts) if (x["kind"], x["state"]) == ("prohibition", "applied")]
        for layer in banned:
            yield (layer["id"], layer["heading"], "prohibited"), self.value, ZERO, True
        if banned:
            return
        layers = self.stacked(self.fitting(facts), facts, {p for p in PARTS if p not in METALS or divided[p]})
        columns = [self.ordinary(layer["column"], facts) for layer in layers if layer["kind"] == "ordinary"]
        ordinary, program = columns[0] if columns else (ZERO, "")
        for layer in layers:
            apart = any(layer["weights"][metal] != layer["weights"]["rest"] for metal in METALS)
            values = divided if apart else undivided
            base = sum((layer["weights"][part] * values[part] for part in PARTS), ZERO)
            rate, kind, heading = layer["rate"], layer["kind"], layer["heading"]
            if layer["state"] == "applied" and not base and "cut" in layer:
                layer["state"], heading = "displaced", layer["cut"] or heading
            charged = layer["state"] == "applied"
            if kind == "ordinary":
                rate, heading = ordinary, program
            elif kind == "topup_to":
                rate = max(ZERO, rate - ordinary)
                heading = layer.get("heading_at_zero", heading) if charged and not rate else heading
            elif rate is None:
                rate = self.specific(layer) / self.value
            yield (layer["id"], heading, layer["state"]), base, base * rate, layer["owed"]
            own = weights(layer["base"])
            values = divided if any(own[metal] != own["rest"] for metal in METALS) else undivided
            left = sum(((part in COVERS["full"]) - own[part]) * values[part] for part in PARTS)
            if charged and left and "split_heading" in layer:
                yield (layer["id"], layer["split_heading"], "exempt"), left, ZERO, layer["owed"]

    def stacked(self, layers: list[Raw], facts: Raw, present: set[str]) -> list[Raw]:
        """The layers after the rules, walked once in order, and after duties in lieu of the ordinary one."""

        def charged(names: Iterable[str]) -> dict[str, Raw]:
            return {x["id"]: x for name in names for x in layers if x["state"] == "applied"
                    and any(x["weights"][part] and part in present for part in PARTS)
                    and (x["id"] == name or x["node"].startswith(name + "."))}  # fmt: skip

        def take(layer: Raw, left: Weights, heading: str) -> None:
            layer |= {"weights": left, "cut": heading or layer.get("cut", "")}
            if not any(left.values()):
                layer |= {"state": "displaced", "heading": layer["cut"] or layer["heading"]}

        for layer in layers:
            layer["weights"] = weights(layer["base"])
        for layer in layers:
            if layer["state"] == "applied" and not charged([layer["id"]]):
                layer["state"] = "exempt"
            if layer["state"] != "applied":
                layer["weights"] = NOTHING
        for rule in self.law["rules"]:
            known = rule if "from" in rule else {"known_from": "", **rule}
            in_force = self.moment.exists(known, rule.get("from", ""))
            in_force = in_force and self.moment.dated(rule.get("from"), rule.get("to"))
            ends = [end["at"] for end in rule.get("events", []) if self.moment.exists(end)]
            in_force = in_force and not any(map(self.moment.passed, ends))
            if not in_force or not self.all_hold(rule, facts):
                continue
            if any(self.moment.holds(c, facts) for c in listed(rule.get("unless", []))):
                continue
            heading, members = rule.get("heading", ""), list(charged(rule.get("one_of", [])).values())
            highest = max((x["rate"] or ZERO for x in members), default=ZERO)
            best = [x for x in members if rule["pick"] == "first" or (x["rate"] or ZERO) == highest]
            for layer in members:
                if layer is not best[0]:
                    take(layer, NOTHING, heading)
            firing = {name: x["weights"] for name, x in charged(rule.get("when", [])).items()
                      if x["heading"] not in listed(rule.get("when_not", []))}  # fmt: skip
            for name, layer in charged(rule.get("on", [])).items():
                others = [taken for other, taken in firing.items() if other != name]
                if "when" in rule and not others:
                    continue
                if rule["take"] == "full_base" and layer["weights"] != weights({"full": "1"}):
                    continue
                left = weights(rule["base"]) if rule["take"] in {"base", "full_base"} else NOTHING
                if rule["take"] == "content":
                    left = {p: max(ZERO, w - sum(o[p] for o in others)) for p, w in layer["weights"].items()}
                    left["processing"] = layer["weights"]["processing"]
                take(layer, left, heading)
        if any(x["kind"] == "total" for x in charged(layer["id"] for layer in layers).values()):
            for layer in layers:
                if layer["kind"] == "ordinary" and layer["state"] == "applied":
                    take(layer, NOTHING, "")
        return layers

    def ordinary(self, column: str, facts: Raw) -> tuple[Fraction, str]:
        """The ordinary rate that applies, as a fraction of value, and the program it is of."""
        programs = [p for p, found in self.law["programs"].items() if p in self.columns
                    and self.line["origin"] in found["members"] and facts.get(found["claim"])]  # fmt: skip
        claim = market(self.law, self.line.get("to", "")).get("preference", {}).get("claim")
        if column == "special" and claim:
            column = "reduced" if facts.get(claim) and "reduced" in self.columns else "general"
        elif column == "special":
            column = min(programs, key=lambda p: (number(self.columns[p][0]), p), default="general")
        rate, usd, unit = self.columns[column]
        specific = number(usd) * self.quantity(unit) / self.value if number(usd) else ZERO
        return number(rate) + specific, column if column in programs else ""

    def quantity(self, unit: str) -> Fraction:
        own, wanted = (number(self.units[name][1]) for name in (self.line["unit"], unit))
        return number(self.line["quantity"]) * own / wanted

    def specific(self, layer: Raw) -> Fraction:
        """A specific duty, or the shortfall to a minimum price, in dollars on the whole line."""
        if layer["kind"] == "minimum_price":
            usd, unit = layer["price"].split(" USD/")
            return max(ZERO, number(usd) * self.quantity(unit) - self.value)
        total, below = ZERO, ZERO
        for tier in layer.get("tiers") or [{"rate": layer["usd"]}]:
            usd, unit = tier["rate"].split(" USD/")
            quantity = self.quantity(unit)
            top = min(quantity, number(tier["up_to"].split()[0])) if "up_to" in tier else quantity
            total, below = total + number(usd) * max(ZERO, top - below), max(top, below)
        return total
