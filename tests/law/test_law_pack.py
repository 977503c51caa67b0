"""Law packs: the same law comes out, the same files give the same bytes, and no pack is trusted."""

from __future__ import annotations

import io
import json
import random
import shutil
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import zstandard

from tariffs.client import Client
from tariffs.client.cases.case_check import check_case
from tariffs.client.cases.case_file import read_cases as file_of_cases
from tariffs.engine.errors import InputError, LawError
from tariffs.engine.law import load_law
from tariffs.engine.law.files import HERE, read_raw
from tariffs.engine.law.lint import lint_law
from tariffs.engine.law.loader import digest_of
from tariffs.engine.law.pack import archive
from tariffs.engine.law.pack.archive import MANIFEST, SIGNATURE
from tariffs.engine.law.pack.build import build_pack
from tariffs.engine.law.pack.read import read_pack
from tariffs.engine.law.pack.signature import PublicKeys
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.line_duty.golden_cases import SCHEMA, differences_of, read_cases
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.law_history.law_diff import compare_laws
from tariffs.engine.validation.law_pack import check_pack, check_trusted_pack
from tests.law.packs import CHARGED, EXEMPT, GOLDEN, TOYS, golden_case, key_pair, law_copy, newer_pack


@pytest.fixture(scope="module")
def builtin_pack() -> bytes:
    return build_pack(HERE, golden=GOLDEN)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return newer_pack(tmp_path_factory.mktemp("law"))


def assessed(pack: bytes) -> str:
    line = EntryLine(TOYS["hts"], TOYS["origin"], TOYS["value"], TOYS["entry"])
    return f"{quote_line(read_pack(pack, 'pack').law(), line).assessed:.2f}"


def refusal(data: bytes) -> LawError:
    with pytest.raises(LawError) as caught:
        read_pack(data, "law.tar.zst").law()
    assert caught.value.reason == "LAW_PACK_INVALID"
    assert caught.value.message.startswith("law.tar.zst: ")
    assert caught.value.fix
    return caught.value


def rewritten(pack: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    members = archive.read(pack, "pack")
    change(members)
    return archive.written(members)


# -- what comes out --------------------------------------------------------------------------------------------


def test_a_pack_holds_the_law_of_its_directory(builtin_pack: bytes) -> None:
    pack = read_pack(builtin_pack, "pack")
    law, own = pack.law(), load_law()
    assert (law.digest, pack.manifest.digest) == (own.digest, own.digest)
    assert digest_of(read_raw()) == own.digest
    assert pack.manifest.version == own.version
    assert pack.manifest.read_to == own.read_to.isoformat()
    # The order of claims and measures decides the order of results.
    assert (list(law.claims), list(law.measures)) == (list(own.claims), list(own.measures))


def test_the_same_files_give_the_same_bytes_whatever_their_layout(
    tmp_path: Path, builtin_pack: bytes
) -> None:
    shutil.copytree(HERE, tmp_path / "law")
    for path in (tmp_path / "law" / "measures").glob("*.yaml"):
        path.write_text("# another comment\n" + json.dumps(load_yaml(path), indent=1), encoding="utf-8")
    assert build_pack(tmp_path / "law", golden=GOLDEN) == builtin_pack


def test_a_changed_law_has_another_digest_and_comes_out_as_it_went_in(tmp_path: Path) -> None:
    folder = law_copy(tmp_path / "law")
    path = folder / "lists" / "s232_cabinets.csv"
    path.write_text(path.read_text(encoding="utf-8") + "9401.61,,,,\n", encoding="utf-8")
    pack = read_pack(build_pack(folder), "pack")
    assert pack.law().digest == pack.manifest.digest == digest_of(read_raw(folder)) != load_law().digest
    assert "list S232_CABINETS: 1 rows added, 0 removed" in compare_laws("builtin", str(folder)).other


def test_one_more_exemption_is_the_only_difference(tmp_path: Path, newer: bytes) -> None:
    assert assessed(newer) == EXEMPT
    path = tmp_path / "law.tar.zst"
    path.write_bytes(newer)
    table = tmp_path / "lines.csv"
    table.write_text("hts,origin,customs_value\n9503.00.0073,CN,10000\n6110.20.2079,VN,100\n")
    found = compare_laws("builtin", str(path), str(table))
    assert [one.id for one in found.differences] == ["fl301"]
    assert found.other == ()
    assert found.lines is not None
    assert found.lines.rows() == [(0, "9503000073", "CN", 10000.0, 1250.0, 0.0, -1250.0)]


# -- what is refused -------------------------------------------------------------------------------------------


def test_a_pack_that_is_cut_short_or_no_pack_is_refused(newer: bytes) -> None:
    draw = random.Random(7)
    for share in (0.0, 0.2, 0.9, 0.999):
        refusal(newer[: int(len(newer) * share)])
    for size in (1, 100, 10_000):
        refusal(draw.randbytes(size))
    refusal(zstandard.compress(draw.randbytes(2_000)))


def test_a_changed_byte_is_refused(newer: bytes) -> None:
    draw, members, refused = random.Random(5), archive.read(newer, "pack"), 0
    for _ in range(20):
        changed = bytearray(newer)
        changed[draw.randrange(len(newer))] ^= 1 << draw.randrange(8)
        # Zstandard pads its streams by bits that mean nothing; all others are in the digests of the members.
        with suppress(LawError):
            if archive.read(bytes(changed), "pack") == members:
                continue
        refusal(bytes(changed))
        refused += 1
    assert refused >= 18


def test_a_pack_that_unpacks_into_too_much_is_refused() -> None:
    bomb = archive.written({MANIFEST: b"{}", "law/version.yaml": bytes(archive.CONTENT_BYTES + 1)})
    assert len(bomb) < 100_000
    assert "more than" in refusal(bomb).message
    many = {f"law/{index}.yaml": b"" for index in range(archive.MEMBERS + 1)}
    assert "members" in refusal(archive.written(many)).message
    assert "bytes, more than" in refusal(bytes(archive.PACK_BYTES + 1)).message


LONG_NAME = f"law/{'x' * 90}/{'y' * 50}/{'z' * 90}"


def test_names_that_leave_the_pack_links_and_devices_are_refused(newer: bytes) -> None:
    for name in ("../law", "/etc/passwd", "law/../../x", "law//x", "law/.hidden", "a\nb", LONG_NAME):
        named = refusal(archive.written(archive.read(newer, "pack") | {name: b"x"})).message
        assert "has a name that packs do not have" in named
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as made:
            entry = tarfile.TarInfo("law/version.yaml")
            entry.type, entry.linkname = kind, "/etc/passwd"
            made.addfile(entry)
        assert "no plain file" in refusal(zstandard.compress(plain.getvalue())).message


def test_members_are_those_of_the_manifest(newer: bytes) -> None:
    for change, word in (
        (lambda members: members.update({"law/more.yaml": b"{}"}), "not in its manifest"),
        (lambda members: members.pop("law/stacking.yaml"), "is missing"),
        (lambda members: members.update({"law/stacking.yaml": b"{}"}), "not the one"),
        (lambda members: members.pop(MANIFEST), "no manifest"),
        (lambda members: members.update({MANIFEST: b"[]"}), "cannot be read"),
        (lambda members: members.update({MANIFEST: b"{" * 100_000}), "cannot be read"),
    ):
        assert word in refusal(rewritten(newer, change)).message
    forged = json.loads(archive.read(newer, "pack")[MANIFEST]) | {"digest": "0" * 64}
    changed = rewritten(newer, lambda members: members.update({MANIFEST: json.dumps(forged).encode()}))
    assert "not the one of its manifest" in refusal(changed).message


def test_a_directory_that_is_no_law_makes_no_pack(tmp_path: Path) -> None:
    with pytest.raises(LawError, match="cannot be read as law data"):
        build_pack(tmp_path)
    with pytest.raises(LawError, match=r"not YYYY\.MM\.DD\.n"):
        build_pack(law_copy(tmp_path / "law", "next"))


# -- signatures and checks -------------------------------------------------------------------------------------


def test_only_a_pack_signed_by_a_known_key_is_trusted(tmp_path: Path, newer: bytes) -> None:
    (private, public), (_, other) = key_pair(tmp_path), key_pair(tmp_path, "other")
    both = tmp_path / "both.pem"
    both.write_bytes(other.read_bytes() + public.read_bytes())
    (tmp_path / "signed").mkdir()
    signed = newer_pack(tmp_path / "signed", key=private)
    path = tmp_path / "law.tar.zst"
    path.write_bytes(signed)
    keys = PublicKeys.read(both)
    assert check_trusted_pack(path, keys, unsigned=False).key_id in keys.ids
    for trusted in (PublicKeys.read(other), PublicKeys([])):
        with pytest.raises(LawError, match="not signed by a known key") as caught:
            check_trusted_pack(path, trusted, unsigned=True)
        assert caught.value.reason == "LAW_PACK_UNTRUSTED"
    path.write_bytes(rewritten(signed, lambda members: members.pop(SIGNATURE)))
    with pytest.raises(LawError, match="it is not signed"):
        check_trusted_pack(path, keys, unsigned=False)
    assert check_trusted_pack(path, keys, unsigned=True).cases == 1


def test_a_file_without_a_key_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.pem"
    path.write_text("no key")
    with pytest.raises(InputError, match="no Ed25519 public key"):
        PublicKeys.read(path)
    with pytest.raises(InputError, match="no Ed25519 private key"):
        build_pack(HERE, key=path)


def test_a_golden_case_that_fails_refuses_the_pack_and_names_the_case(tmp_path: Path) -> None:
    golden = golden_case(tmp_path / "golden", assessed=CHARGED)
    path = tmp_path / "law.tar.zst"
    path.write_bytes(build_pack(law_copy(tmp_path / "law"), golden=golden))
    with pytest.raises(LawError, match=r"toys-exempt: assessed is 0\.00, not 1250\.00") as caught:
        check_pack(path)
    assert caught.value.reason == "LAW_TEST_FAILED"


def test_a_case_with_a_fact_that_is_not_read_is_refused() -> None:
    raw = {"id": "a", "expect": {"assessed": "0", "owed": "0"}, "cite": "", "frieght": "x"}
    with pytest.raises(LawError, match="frieght") as caught:
        read_cases({"cases.yaml": {"schema": SCHEMA, "cases": [raw]}})
    assert caught.value.reason == "LAW_INVALID"


@pytest.mark.parametrize(
    "change",
    [{}, {"heading": "9903.99.99"}, {"base": "9999.00"}, {"amount": "1.00"}, {"amount": "0.00"}],
    ids=str,
)
def test_a_pack_compares_layers_as_the_command_does(
    change: dict[str, str], client: Client, tmp_path: Path
) -> None:
    cases = [case for path in sorted(GOLDEN.glob("*.yaml")) for case in load_yaml(path)["cases"]]
    cases = [case for case in cases[::25] if "layers" in case["expect"]]
    for case in cases:
        first, *others = case["expect"]["layers"]
        case["expect"]["layers"] = [{**first, **change}, *others]
    content = {"schema": SCHEMA, "cases": cases}
    (tmp_path / "cases.yaml").write_text(json.dumps(content), encoding="utf-8")
    by_command = [bool(check_case(client, case).wrong) for case in file_of_cases(tmp_path / "cases.yaml")]
    by_pack = [bool(differences_of(load_law(), case)) for case in read_cases({"cases.yaml": content})]
    assert len(cases) > 5
    assert by_pack == by_command
    assert any(by_pack) == bool(change)


def test_lint_reads_a_pack_and_its_findings_refuse_it(tmp_path: Path, newer: bytes) -> None:
    path = tmp_path / "law.tar.zst"
    path.write_bytes(newer)
    assert lint_law(str(path)).findings == ()
    folder = law_copy(tmp_path / "law")
    content = load_yaml(folder / "measures" / "s301_fl.yaml")
    content["row_sets"]["unused"] = [{"origins": ["CN"], "rate": "1%", "heading": "9903.06.91"}]
    (folder / "measures" / "s301_fl.yaml").write_text(json.dumps(content), encoding="utf-8")
    path.write_bytes(build_pack(folder))
    (finding,) = lint_law(str(path)).findings
    assert finding.message == "unused is used nowhere"
    with pytest.raises(LawError, match="unused is used nowhere"):
        check_pack(path)
