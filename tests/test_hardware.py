"""What the system says of itself, from files and programs that only look real; and machines known by name."""

from __future__ import annotations

import json
import subprocess

import pytest
import records as made

from tunekit_hub import hardware
from tunekit_hub.errors import PlanError, UsageError
from tunekit_hub.hardware import cgroups
from tunekit_hub.hardware import named as named_hardware

GIB = 2**30
TWO = (
    "Tesla T4, 15000, 7.5, 0, GPU-aaaa-1111\n"
    "NVIDIA A100-SXM4-80GB, 80000, 8.0, 1, GPU-bbbb-2222\n"
)  # fmt: skip


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def control(tmp_path, monkeypatch):
    """An empty cgroup file system, of version 2, for a process in its root."""
    root, own = tmp_path / "cgroup", tmp_path / "own"
    root.mkdir()
    own.write_text("0::/\n")
    monkeypatch.setattr(cgroups, "ROOT", root)
    monkeypatch.setattr(cgroups, "OWN", own)
    return root


def test_gpus_are_read_from_nvidia_smi():
    t4, a100 = hardware.parse_gpus(TWO)
    assert (t4.name, t4.memory, t4.bf16) == ("Tesla T4", 15000 * 2**20, False)
    assert (a100.name, a100.bf16) == ("NVIDIA A100-SXM4-80GB", True)


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("1", ["NVIDIA A100-SXM4-80GB"]),
        ("1,0", ["NVIDIA A100-SXM4-80GB", "Tesla T4"]),
        ("GPU-aaaa", ["Tesla T4"]),
        ("", []),
        ("-1", []),
        ("0,7,1", ["Tesla T4"]),
    ],
)
def test_only_visible_gpus_count(visible, names):
    assert [gpu.name for gpu in hardware.parse_gpus(TWO, visible)] == names


def test_a_gpu_that_does_not_tell_its_memory_is_left_out():
    assert hardware.parse_gpus("NVIDIA A100, [N/A], 8.0, 0, GPU-x\n") == ()
    (odd,) = hardware.parse_gpus("Quadro, with a comma, 4000, [N/A], 0, GPU-x\n")
    assert (odd.name, odd.bf16) == ("Quadro, with a comma", False)


def test_a_gpu_needs_a_torch_that_can_use_it(monkeypatch):
    listed = subprocess.CompletedProcess([], 0, stdout=TWO)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(hardware.subprocess, "run", lambda *_, **__: listed)
    monkeypatch.setattr(hardware.metadata, "version", lambda _: "2.13.0+cu130")
    found = hardware.detect()
    assert (found.device, found.memory, found.bf16) == ("cuda", 15000 * 2**20, False)
    monkeypatch.setattr(hardware.metadata, "version", lambda _: "2.13.0+cpu")
    found = hardware.detect()
    assert found.device == "cpu"
    assert "lies idle" in found.name


def test_a_broken_driver_is_no_gpu(monkeypatch):
    monkeypatch.setattr(hardware.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 9, stdout=""))
    assert hardware.detect().device != "cuda"


@pytest.mark.parametrize(
    ("flags", "bf16", "gflops"),
    [
        ("fpu avx2 avx512f avx512_bf16 amx_bf16", True, 100.0),
        ("fpu avx2 avx512f avx512_bf16", True, 75.0),
        ("fpu avx2 avx512f", False, 50.0),
        ("fpu avx2", False, 45.0),
        ("fpu", False, 10.0),
    ],
)
def test_the_units_of_the_cpu_decide_precision_and_speed(flags, bf16, gflops, tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(hardware, "CPUINFO", cpuinfo)
    monkeypatch.setattr(hardware, "_nvidia", lambda: ())
    monkeypatch.setattr(hardware.platform, "system", lambda: "Linux")
    found = hardware.detect()
    assert (found.bf16, found.gflops) == (bf16, found.cores * gflops)


def test_a_quota_of_the_cgroup_limits_the_cores(control):
    assert cgroups.cpu_quota() is None
    write(control, cpu_dot_max="150000 100000\n")
    assert cgroups.cpu_quota() == 1.5
    write(control, cpu_dot_max="max 100000\n")
    assert cgroups.cpu_quota() is None


def test_the_tightest_group_around_the_process_counts(control):
    cgroups.OWN.write_text("0::/box/inner\n")
    write(control, box__memory_dot_max=f"{4 * GIB}\n", box__memory_dot_current=f"{GIB}\n")
    write(control, box__inner__memory_dot_max="max\n", box__inner__memory_dot_current=f"{GIB}\n")
    assert cgroups.free_memory() == 3 * GIB


def test_cached_files_are_not_in_the_way(control):
    write(control, memory_dot_max=f"{4 * GIB}\n", memory_dot_current=f"{3 * GIB}\n")
    write(control, memory_dot_stat=f"anon {GIB}\ninactive_file {2 * GIB}\n")
    assert cgroups.free_memory() == 3 * GIB


def test_the_first_version_of_cgroups_is_understood(control):
    cgroups.OWN.write_text("5:cpu,cpuacct:/\n4:memory:/\n")
    write(control, cpu__cpu_dot_cfs_quota_us="200000\n", cpu__cpu_dot_cfs_period_us="100000\n")
    write(control, memory__memory_dot_limit_in_bytes=f"{2 * GIB}\n", memory__memory_dot_usage_in_bytes="0\n")
    assert (cgroups.cpu_quota(), cgroups.free_memory()) == (2.0, 2 * GIB)
    write(control, memory__memory_dot_limit_in_bytes=f"{2**63 - 4096}\n")
    assert cgroups.free_memory() is None


def test_every_named_machine_can_be_planned_for():
    for name in named_hardware.table()["machines"]:
        machine = named_hardware.named(name)
        assert machine.asked_as == name
        assert machine.memory > 8e9
        assert (machine.price is None) == (machine.price_date is None)


def test_what_is_known_of_a_t4():
    t4 = named_hardware.named("T4-small")
    assert (t4.device, t4.memory, t4.bf16, t4.price) == ("cuda", 16 * 10**9, False, 0.40)
    assert named_hardware.named("cpu-basic").device == "cpu"


@pytest.mark.parametrize("name", ["8GB", "8 gb", "8gb"])
def test_a_gpu_by_its_memory(name):
    assert (named_hardware.named(name).memory, named_hardware.named(name).price) == (8 * 10**9, None)


@pytest.mark.parametrize("name", ["t5-small", "GB", "0GB", ""])
def test_an_unknown_machine_is_refused_with_the_list(name):
    with pytest.raises(UsageError, match="no machine is called") as refused:
        named_hardware.named(name)
    assert "t4-small" in refused.value.hint
    assert "24GB" in refused.value.hint


def test_a_plan_for_another_machine_is_not_trained_here(monkeypatch):
    here = made.make_hardware(memory=16 * 10**9, bf16=False)
    monkeypatch.setattr(hardware, "detect", lambda: here)
    with pytest.raises(PlanError, match=r"for other hardware, `t4-small`.*its CPU") as refused:
        named_hardware.require_here(named_hardware.named("t4-small"))
    assert "without `--hardware`" in refused.value.hint
    with pytest.raises(PlanError, match=r"16\.0 GB free, not 28\.8 GB"):
        named_hardware.require_here(named_hardware.named("cpu-upgrade"))
    named_hardware.require_here(named_hardware.named("cpu-basic"))  # what it counts on is here
    named_hardware.require_here(made.make_hardware(memory=10**15))  # not a named one: it was this machine


def test_a_plan_that_says_no_is_not_trained(monkeypatch):
    plan = made.make_plan(fit="no", advice="take a smaller model")
    with pytest.raises(PlanError, match="does not fit"):
        named_hardware.require_trainable(plan)


def test_the_table_says_when_and_from_where():
    text = json.loads(named_hardware.TABLE.read_text())
    assert text["recorded"] and text["source"].startswith("https://")
