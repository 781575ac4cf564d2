"""How the image is built: steps and their cache, trees that share files, lent programs, two builds."""

import threading
from pathlib import Path

import pytest

from kiosk_image import base, lend, steps, twice

# ---- the steps and their cache ---------------------------------------------------------------------------


def step(name: str, made: list[str], *needs: steps.Step, inputs: tuple[str | Path, ...] = ()) -> steps.Step:
    def make(out: Path, results: dict[str, Path]) -> None:
        assert all((results[need.name] / "made").exists() for need in needs)
        made.append(name)
        (out / "made").touch()

    return steps.Step(name, inputs, needs, make)


def test_a_step_is_made_again_only_when_something_it_is_made_of_changed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("one")
    made: list[str] = []
    workshop = steps.Workshop(tmp_path / "cache")

    def build() -> list[str]:
        made.clear()
        first = step("first", made)
        workshop.run(step("last", made, step("middle", made, first, inputs=(source,)), first))
        return list(made)

    assert build() == ["first", "middle", "last"]
    assert build() == []
    source.write_text("two")
    assert build() == ["middle", "last"]
    source.write_text("one")
    assert build() == []  # the result before is still kept


def test_an_interrupted_step_leaves_nothing_that_counts(tmp_path: Path) -> None:
    workshop = steps.Workshop(tmp_path)
    failing = [True]

    def make(out: Path, _: dict[str, Path]) -> None:
        assert not (out / "half").exists()
        (out / "half").touch()
        if failing:
            raise steps.BuildError("the network is gone")

    wanted = steps.Step("wanted", (), (), make)
    with pytest.raises(steps.BuildError):
        workshop.run(wanted)
    assert not wanted.ready(tmp_path)
    failing.clear()
    assert (workshop.run(wanted)["wanted"] / "half").exists()


def test_what_only_helps_is_made_first_but_has_no_part_in_the_result(tmp_path: Path) -> None:
    made: list[str] = []
    alone, helper = step("slow", made), step("helper", made, inputs=("new",))
    helped = steps.Step("slow", (), (), alone.make, helped_by=(helper,))
    assert helped.digest() == alone.digest()
    steps.Workshop(tmp_path).run(helped)
    assert made == ["helper", "slow"]


def test_steps_that_do_not_wait_for_each_other_are_made_side_by_side(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=20)  # breaks where one is made after the other

    def meet(out: Path, results: dict[str, Path]) -> None:
        both.wait()
        (out / "made").touch()

    pair = tuple(steps.Step(name, (), (), meet) for name in ("bundle", "packed"))
    made: list[str] = []
    results = steps.Workshop(tmp_path).run(step("release", made, *pair))
    assert made == ["release"]
    assert set(results) == {"bundle", "packed", "release"}


# ---- trees ----------------------------------------------------------------------------------------------


def test_a_changed_file_of_a_tree_is_not_written_into_the_step_that_it_is_linked_to(tmp_path: Path) -> None:
    kept, root, repository = (tmp_path / name for name in ("kept", "root", "repository"))
    for folder in (kept, root, repository):
        folder.mkdir()
    (repository / "unit").write_text("ours")
    for name in ("put", "written", "linked"):
        (kept / name).write_text("Debian's")
        (root / name).hardlink_to(kept / name)
    tree = base.Tree(root, repository, tmp_path)
    tree.put("unit", "put", 0o755)
    tree.write("written", "ours", 0o600)
    tree.link("linked", "/elsewhere")
    assert (root / "put").read_text() == (root / "written").read_text() == "ours"
    assert {path.read_text() for path in kept.iterdir()} == {"Debian's"}
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o644}


def test_the_folder_where_the_cache_was_seen_from_inside_does_not_come_into_the_image(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "work/cache/initrd.part").mkdir(parents=True)
    (root / "home").mkdir()
    base.forget_mounts(root, Path("/work/cache/initrd.part"))
    base.forget_mounts(root, Path("/home/somebody/cache"))
    assert [path.name for path in root.iterdir()] == ["home"]


# ---- programs lent to the arm64 root ---------------------------------------------------------------------

STATUS = """\
Package: dpkg
Status: install ok installed
Architecture: amd64
Version: 1.22.22

Package: grep
Status: install ok installed
Architecture: amd64
Version: 3.11-4

Package: tar
Status: install ok installed
Architecture: amd64
Version: 1.35-3

Package: libc6
Status: install ok installed
Architecture: arm64
Version: 2.41
"""


def tool_root(folder: Path) -> Path:
    (folder / "var/lib/dpkg/info").mkdir(parents=True)
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "var/lib/dpkg/status").write_text(STATUS)
    listed = ("/usr/bin/dpkg", "/usr/bin/helper", "/usr/bin/uname", "/usr/share/doc")
    (folder / "var/lib/dpkg/info/dpkg.list").write_text("\n".join(listed) + "\n")
    (folder / "usr/bin/dpkg").write_bytes(b"\x7fELF\0amd64\0rest")
    (folder / "usr/bin/helper").write_text("#!/usr/bin/perl -w\nprint 1;\n")
    return folder


def test_programs_are_lent_only_where_both_roots_have_them_of_the_same_source(tmp_path: Path) -> None:
    wanted = {"dpkg": "1.22.22", "grep": "3.11-4", "tar": "1.36-1", "bash": "5.2"}
    assert lend.lent(tool_root(tmp_path), wanted) == ["dpkg", "grep"]


def test_a_lent_program_takes_arm64_for_its_own_processor_and_finds_its_interpreter(tmp_path: Path) -> None:
    tools, folder = tool_root(tmp_path / "tools"), tmp_path / "bin"
    folder.mkdir()
    names = [path.name for path in lend.programs(tools, "dpkg")]
    assert names == ["dpkg", "helper"]  # uname tells of the processor
    for program in lend.programs(tools, "dpkg"):
        lend.lend(tools, program, folder)
    assert (folder / "dpkg").read_bytes() == b"\x7fELF\0arm64\0rest"
    assert (folder / "helper").read_text().startswith("#!/native/tools/usr/bin/perl -w\n")


# ---- two builds ------------------------------------------------------------------------------------------


def outcome(folder: Path, version: str, card: bytes, log: str) -> dict[str, Path]:
    results = {name: folder / name for name in ("debian", "initrd", "base", "system", "boot", "disk")}
    (folder / "debian/root/var/lib/dpkg").mkdir(parents=True)
    (folder / "debian/root/var/log").mkdir()
    status = f"Package: mawk\nArchitecture: arm64\nVersion: {version}\n"
    (folder / "debian/root/var/lib/dpkg/status").write_text(status)
    (folder / "debian/root/var/log/dpkg.log").write_text(log)
    for name in list(results)[1:]:
        (folder / name).mkdir()
    (folder / "disk/kiosk.img").write_bytes(card)
    for name in ("disk/.done", "disk/genimage.cfg", "initrd/.done"):
        (folder / name).write_text(log)  # how long it took, and where it lies: no part of the card
    return results


@pytest.mark.parametrize(
    ("version", "card", "code", "told"),
    [
        ("1.3", b"card", 0, "differs in debian: var/log/dpkg.log (a log with the time of day)"),
        ("1.3", b"crad", 1, "DIFFERS"),
        ("1.4", b"crad", 2, "other version: mawk: 1.3, then 1.4"),
    ],
)
def test_two_builds_are_compared_and_a_moved_mirror_is_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, card: bytes, code: int, told: str
) -> None:
    first = outcome(tmp_path / "1", "1.3", b"card", "at noon")
    second = outcome(tmp_path / "2", version, card, "at night")
    assert twice.told(first, second, twice.ALL) == code
    assert told in capsys.readouterr().out
