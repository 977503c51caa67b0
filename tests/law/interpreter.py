"""A plain second reading of the law, sharing no code with the engine: dicts and loops, one line at one instant.

It reads the text form of docs/law-data.md and exists to disagree with the engine. Numbers are exact fractions.
`schedule` is `{code: {column: (ad valorem, USD per unit, unit)}}` with columns general, other and program symbols;
`units` is `{unit: (dimension, factor)}`; a line is `{hts, origin, entry, value, claims, quantity, unit}`, all text.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo

PARTS = ("steel", "aluminum", "copper", "us_below_cap", "us_above_cap", "rest", "processing")
METALS = PARTS[:3]
COVERS = {"full": PARTS[:6], "us": PARTS[3:5], "us_capped": PARTS[3:4], **{part: (part,) for part in PARTS}}
AD_VALOREM = ("add", "topup_to", "total")
NEVER = "9999-01-01"


@cache
def instant(text, zone, hour="12:00"):
    moment = datetime.fromisoformat(text if "T" in text else f"{text}T{hour}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


@cache
def number(text):
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


def listed(found):
    return [found] if isinstance(found, str) else found


class Reading:
    """One line under one law: `layers` {(measure, heading, state): (base, amount, owed)}, `assessed` and `owed`."""

    def __init__(self, law, line, schedule, units, known_on="", switches=(), changes=()):
        self.law, self.line, self.units, self.columns = law, line, units, schedule[line["hts"]]
        self.zone = ZoneInfo(law["version"]["clock"]["import"])
        self.at = instant(line["entry"], self.zone)
        self.value = Fraction(int(Fraction(line["value"]) + Fraction(1, 2)))
        self.known_on = known_on or law["version"]["as_of"]
        self.switches = {name: switch["default"] for name, switch in law["switches"].items()} | dict(switches)
        self.events = [*law["events"], *({"known_from": "0001-01-01", **change} for change in changes)]
        self.now = {m["id"]: self.standing(m) for m in law["measures"]}
        sums = defaultdict(lambda: [0, 0, 1])
        for weight, facts in self.atoms():
            for key, base, amount, owed in self.priced(facts):
                sums[key] = [sums[key][0] + weight * base, sums[key][1] + weight * amount, owed]
        cents = {key: Fraction(int(amount * 100 + Fraction(1, 2)), 100) for key, (_, amount, _) in sums.items()}
        self.layers = {key: (base, cents[key], cents[key] * owed) for key, (base, _, owed) in sums.items()}
        self.assessed, self.owed = sum(cents.values()), sum(owed for *_, owed in self.layers.values())

    # What exists, is known, and reaches the line.
    def passed(self, text, hour="12:00"):
        return bool(text) and instant(text, self.zone, hour) <= self.at

    def exists(self, thing, start=""):
        day = instant(start, self.zone).astimezone(self.zone).date().isoformat() if start else NEVER
        known = thing.get("known_from", min(day, self.law["version"]["as_of"])) <= self.known_on
        return known and all(self.switches[name] == value for name, value in thing.get("switch", {}).items())

    def dated(self, start, end, hour="12:00"):
        return (not start or self.passed(start, hour)) and not self.passed(end, hour)

    def from_there(self, name):
        entries = self.law["groups"].get(name, {"members": [name]})
        entries = [entries] if isinstance(entries, dict) else entries
        return any(self.line["origin"] in e["members"] and self.dated(e.get("from"), e.get("to")) for e in entries)

    def is_such(self, name):
        entries = [e for e in self.law["lists"].get(name, [(name, "", "")]) if self.dated(e[1], e[2], "00:01")]
        return any(self.line["hts"].startswith(code.replace(".", "")) for code, *_ in entries)

    def reaches(self, scope):
        return all(
            (key not in scope or any(map(test, listed(scope[key]))))
            and not any(map(test, listed(scope.get("not_" + key, []))))
            for key, test in (("origins", self.from_there), ("products", self.is_such))
        )

    # Facts: conditions, and the atoms of a line.
    def holds(self, text, facts, undeclared=False):
        negated, (claim, *test) = text.startswith("not "), text.removeprefix("not ").split()
        kind = "date" if claim == "entry_date" else self.law["claims"][claim]["type"]
        fact = self.at if claim == "entry_date" else facts.get(claim)
        if fact is None:
            return negated or (undeclared and not test)
        if not test or kind == "code":
            return (fact in test[1:] if test else bool(fact)) != negated
        left, right = fact, instant(test[1], self.zone) if kind == "date" else number(test[1])
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[test[0]] != negated

    def atoms(self):
        partitions, facts = defaultdict(dict), {}
        for name, declared in self.line["claims"].items():
            kind = self.law["claims"][name]["type"]
            if kind == "share":
                partitions[self.law["claims"][name].get("partition", name)][name] = number(declared)
            elif kind == "date":
                facts[name] = instant(declared, self.zone)
            else:
                facts[name] = declared == "yes" if kind == "bool" else declared if kind == "code" else number(declared)
        choices = [[*((s, {name}) for name, s in p.items()), (1 - sum(p.values()), set())] for p in partitions.values()]
        for combination in itertools.product(*choices):
            weight = Fraction(1)
            for share, _ in combination:
                weight *= share
            yes = {name for _, names in combination for name in names}
            if weight:
                yield weight, facts | {name: name in yes for p in partitions.values() for name in p}

    # One measure for the line's origin and product: what acts have made of it.
    def acts(self, measure):
        own = [{**e, "measures": {"id": measure["id"], **e.get("measures", {})}} for e in measure.get("events", [])]
        for event in [*own, *self.events]:
            selector = event.get("measures", {})
            ids, node = listed(selector.get("id", [])), selector.get("authority")
            labels = [p["id"] for p in measure.get("periods", []) if p["id"] in ids]
            if measure["id"] in ids or (not labels and node and f"{measure['authority']}.".startswith(node + ".")):
                labels = [None]
            start = event.get("at") or event.get("from") or event.get("until", "")
            if labels and self.exists(event, start) and self.reaches(selector):
                yield from ({**event, "start": start or NEVER, "label": label} for label in labels)

    def period(self, measure, acts):
        """The period that holds and its start, after acts that move starts and written ends; or None."""
        known = [p for p in measure.get("periods", []) if "from" in p and self.exists(p, p["from"])]
        last = max(known, key=lambda p: instant(p["from"], self.zone), default=None)
        timed, begun = not any(act["op"] == "suspend" for act in acts), []
        for order, period in enumerate(known):
            start, end = instant(period["from"], self.zone), instant(period.get("to", NEVER), self.zone)
            for act in acts:
                if act["label"] == period["id"] or (act["label"] is None and period is last):
                    moved = instant(act.get("to") or act["start"], self.zone)
                    start = max(start, moved) if act["op"] == "delay" else start
                    end = max(end, moved) if act["op"] == "extend" and timed and "to" in period else end
                    end = min(end, moved) if act["op"] == "snap_back" and timed and "to" in period else end
            if start <= self.at:
                begun.append((start, order, period, end))
        start, _, held, end = max(begun, key=lambda found: found[:2], default=(None, 0, None, self.at))
        return (held, start) if self.at < end else None

    def windows(self, acts):
        made = []
        for act in acts:
            at = instant(act["start"], self.zone)
            if act["op"] == "suspend":
                made.append([at, instant(act.get("until", NEVER), self.zone), act["on_end"], act])
            elif act["op"] == "extend" and made:
                made[-1][1] = at
            elif act["op"] == "snap_back":
                made = [[a, min(b, at), "snap_back" if b > at else end, act] for a, b, end, act in made if a < at]
        return made

    def standing(self, measure):
        """(rows, acts, open window, start of the period, owed), or None if the measure does not charge the line."""
        acts = list(self.acts(measure))
        on = measure.get("modelled") != "no" and measure.get("status") != "announced"
        held = on and self.exists({"known_from": "", "switch": measure.get("switch", {})}) and self.period(measure, acts)
        if not held:
            return None
        acts = [act for act in acts if act["label"] in (None, held[0]["id"])]
        windows = self.windows(acts)
        undone = max((n for n, act in enumerate(acts) if act["op"] == "revalidate"), default=-1)
        voids = [act for n, act in enumerate(acts) if act["op"] == "invalidate" and n > undone]
        ends = [act["start"] for act in acts if act["op"] in ("terminate", "expire")]
        ends += [act.get("collection_stop", act["start"]) for act in voids]
        over = [b for _, b, on_end, _ in windows if on_end == "terminate" and not any(x <= b < y for x, y, *_ in windows)]
        if any(map(self.passed, ends)) or any(b <= self.at for b in over):
            return None
        voids = [act for act in voids if act.get("from_beginning") == "yes" or self.passed(act["start"])]
        voids += [act for act in acts if act["op"] == "enjoin" and self.dated(act["start"], act.get("until"))]
        window = [act for a, b, _, act in windows if a <= self.at < b][-1:]
        return self.relieved([*self.rows(held[0]["rows"])], acts), acts, window, held[1], not voids

    def rows(self, rows):
        for row in rows:
            if "use" in row:
                yield from self.rows(self.law["row_sets"][row["use"]])
            elif "by_origin" in row:
                yield from (row | {"origins": o, "rate": r, "heading": h} for o, (r, h) in row["by_origin"].items())
            else:
                yield row

    def relieved(self, rows, acts):
        """The rows with exemptions granted, the latest first, and without those that lapsed."""
        for act in sorted(acts, key=lambda act: instant(act["start"], self.zone)):
            if act["op"] == "exempt" and self.dated(act["start"], act.get("until")):
                rows = [{"rate": "0%", "heading": act.get("heading", ""), "if": act.get("if", [])}, *rows]
            elif act["op"] == "lapse_exemption" and self.passed(act["start"]):
                rows = [row for row in rows if row.get("kind", "add") != "add" or number(row["rate"])]
        return [row for row in rows if self.reaches(row)]

    def layer(self, measure, facts):
        """The first row that fits the facts after all acts, as a layer before stacking; None if none fits."""
        rows, acts, window, start, owed = self.now[measure["id"]] or ([], *[None] * 4)
        for row in rows:
            if all(self.holds(c, facts, row.get("undeclared") == "applies") for c in listed(row.get("if", []))):
                break
        else:
            return None
        kind, rate = row.get("kind", "add"), number(row["rate"]) if row.get("kind", "add") in AD_VALOREM else None
        layer = {"kind": kind, "rate": rate, "state": "applied", "heading": "", "base": {"full": "1"}, **row}
        layer |= {"kind": kind, "rate": rate, "usd": row.get("rate"), "id": measure["id"], "owed": owed, "node": f"{measure['authority']}."}
        if kind == "ordinary" or (kind == "add" and rate == 0):
            return layer | {"state": "applied" if kind == "ordinary" else "exempt"}
        for act in sorted(acts, key=lambda act: instant(act["start"], self.zone)):
            if act["op"] == "set_rate" and self.passed(act["start"]) and instant(act["start"], self.zone) >= start:
                if layer["rate"] is not None:
                    layer |= {key: act[key] for key in ("heading", "base") if act.get(key)}
                    layer["rate"] = changed(layer["rate"], act)
        if kind == "add" and layer["rate"] == 0:
            return layer | {"state": "exempt"}
        if window:
            kept = number(window[0].get("kept", "0"))
            layer["heading"] = window[0].get("heading", layer["heading"])
            layer |= {"rate": kept, "state": "applied" if kept else "suspended"}
            layer["kind"] = kind if kind in AD_VALOREM else "add"
        return layer

    # Stacking and amounts.
    def priced(self, facts):
        """(key, base, amount, owed) of every layer of an atom."""
        shares = {part: facts.get(f"{part}_share") for part in METALS}
        if not any(share is not None for share in shares.values()):
            named = [(x["rate"] or 0, -METALS.index(part), part) for x in self.layers_of(facts) for part in METALS
                     if number(x["base"].get(part, "0")) > 0]  # fmt: skip
            shares = dict.fromkeys(METALS, Fraction(0)) | ({max(named)[2]: Fraction(1)} if named else {})
        shares = {part: share or Fraction(0) for part, share in shares.items()}
        facts = facts | {f"{part}_share": share for part, share in shares.items()}
        metal = sum(shares.values())
        us = min(facts.get("us_content_share", 0), 1 - metal)
        capped = min(us, number(self.law["terms"]["us_capped"]["cap"]))
        processing = min(facts.get("processing_value", self.value), self.value)
        values = [self.value * share for share in (*shares.values(), capped, us - capped, 1 - metal - us)]
        values = dict(zip(PARTS, [*values, processing], strict=True))
        layers = self.stacked(self.layers_of(facts), facts, {part for part in PARTS if part not in METALS or shares[part]})
        columns = [self.ordinary(x["column"], facts) for x in layers if x["kind"] == "ordinary"]
        ordinary, program = columns[0] if columns else (0, "")
        for layer in layers:
            base = sum(layer["weights"][part] * values[part] for part in PARTS)
            rate, kind, heading = layer["rate"], layer["kind"], layer["heading"]
            if layer["state"] == "applied" and not base and "cut" in layer:
                layer["state"], heading = "displaced", layer["cut"] or heading
            charged = layer["state"] == "applied"
            if kind == "ordinary":
                rate, heading = ordinary, program
            elif kind == "topup_to":
                rate = max(Fraction(0), rate - ordinary)
                heading = layer.get("heading_at_zero", heading) if charged and not rate else heading
            elif rate is None:
                rate = self.specific(layer) / self.value
            yield (layer["id"], heading, layer["state"]), base, base * rate, layer["owed"]
            left_out = sum((COVERS["full"].count(p) - weights(layer["base"])[p]) * values[p] for p in PARTS)
            if charged and left_out and "split_heading" in layer:
                yield (layer["id"], layer["split_heading"], "exempt"), left_out, 0, layer["owed"]

    def layers_of(self, facts):
        return [layer for measure in self.law["measures"] if (layer := self.layer(measure, facts))]

    def stacked(self, layers, facts, present):
        """The layers after the rules and after duties in lieu of the ordinary one."""
        for layer in layers:
            layer["weights"] = weights(layer["base"])
            if not any(layer["weights"][part] and part in present for part in PARTS) and layer["state"] == "applied":
                layer["state"] = "exempt"
            if layer["state"] != "applied":
                layer["weights"] = dict.fromkeys(PARTS, Fraction(0))

        def charged(names):
            return [x for name in names for x in layers if x["state"] == "applied"
                    and any(x["weights"][part] and part in present for part in PARTS)
                    and (x["id"] == name or x["node"].startswith(name + "."))]  # fmt: skip

        def take(layer, left, heading):
            layer |= {"weights": left, "cut": heading}
            if not any(left.values()):
                layer |= {"state": "displaced", "heading": heading or layer["heading"]}

        nothing = dict.fromkeys(PARTS, Fraction(0))
        for rule in self.law["rules"]:
            known = rule if "from" in rule else {"known_from": "", **rule}
            if not (self.exists(known, rule.get("from", "")) and self.dated(rule.get("from"), rule.get("to"))):
                continue
            if not all(self.holds(c, facts) for c in listed(rule.get("if", []))):
                continue
            if any(self.holds(c, facts) for c in listed(rule.get("unless", []))):
                continue
            heading, members = rule.get("heading", ""), charged(rule.get("one_of", []))
            highest = rule.get("pick") == "highest" and members
            winner = max(members, key=lambda x: x["rate"] or 0) if highest else next(iter(members), None)
            for layer in members:
                if layer is not winner:
                    take(layer, nothing, heading)
            firing = [(x["id"], x["weights"]) for x in charged(rule.get("when", []))]
            for layer in charged(rule.get("on", [])):
                others = [w for name, w in firing if name != layer["id"]]
                if "when" in rule and not others:
                    continue
                if rule["take"] == "content":
                    left = {p: max(Fraction(0), w - sum(o[p] for o in others)) for p, w in layer["weights"].items()}
                    left["processing"] = layer["weights"]["processing"]
                else:
                    left = weights(rule["base"]) if rule["take"] == "base" else nothing
                take(layer, left, heading)
        if any(layer["kind"] == "total" and layer in charged([layer["id"]]) for layer in layers):
            for layer in layers:
                if layer["kind"] == "ordinary" and layer["state"] == "applied":
                    take(layer, nothing, "")
        return layers

    def ordinary(self, column, facts):
        """The ordinary rate that applies, and the program it is of."""
        programs = [p for p, found in self.law["programs"].items() if p in self.columns
                    and self.line["origin"] in found["members"] and facts.get(found["claim"])]  # fmt: skip
        if column == "special":
            column = min(programs, key=lambda p: (number(self.columns[p][0]), p), default="general")
        rate, usd, unit = self.columns[column]
        program = column if column in programs else ""
        return number(rate) + (number(usd) * self.quantity(unit) / self.value if number(usd) else 0), program

    def quantity(self, unit):
        (mine, factor), (wanted, per) = self.units[self.line["unit"]], self.units[unit]
        assert mine == wanted
        return number(self.line["quantity"]) * number(factor) / number(per)

    def specific(self, layer):
        if layer["kind"] == "minimum_price":
            usd, unit = layer["price"].split(" USD/")
            return max(Fraction(0), number(usd) * self.quantity(unit) - self.value)
        total = below = Fraction(0)
        for tier in layer.get("tiers") or [{"rate": layer["usd"]}]:
            usd, unit = tier["rate"].split(" USD/")
            quantity = self.quantity(unit)
            top = min(quantity, number(tier["up_to"].split()[0])) if "up_to" in tier else quantity
            total, below = total + number(usd) * max(0, top - below), max(top, below)
        return total


def weights(base):
    """A base as a weight on each disjoint part of the value."""
    return {part: sum((number(w) for term, w in base.items() if part in COVERS[term]), Fraction(0)) for part in PARTS}


def changed(rate, act):
    if "rate" in act:
        return number(act["rate"])
    by = act["by"]
    return max(Fraction(0), rate + number(by[:-2]) / 100) if by.endswith("pp") else rate * number(by[1:])
