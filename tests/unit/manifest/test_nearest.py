"""An unknown name is told with what was probably meant."""

from __future__ import annotations

from syncer.manifest.nearest import did_you_mean, nearest


def test_the_nearest_name_is_found_whatever_the_case() -> None:
    """A swap of letters and a wrong case are seen through; a far name is not."""
    assert nearest("emial", ["phone", "email"]) == "email"
    assert nearest("FIRSTNAME", ["firstName", "lastName"]) == "firstName"
    assert nearest("zzz", ["firstName"]) == ""


def test_a_long_list_is_cut() -> None:
    """Where nothing is near, a dozen names are shown, and how many more there are."""
    assert did_you_mean("zzz", [f"f{n:02}" for n in range(14)], "field").endswith("f10, f11 and 2 more.")
    assert did_you_mean("zzz", [], "field") == "There is no field yet."
