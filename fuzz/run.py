"""`./dev fuzz`: feeds the engine octets that nobody would send, and says whether it minds.

Builds the targets with libFuzzer and its coverage, as cargo-fuzz does, but with the toolchain that is here and without sanitizers
(the engine has no unsafe code of its own below `io`). Everything lands in `target/fuzz`: the inputs that reached something new are
kept there for the next run, those that broke something too. Only the standard library.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[0] = str(ROOT)

from fuzz.seeds import SEEDS  # noqa: E402  (needs the path above)

WORK = ROOT / "target/fuzz"
TARGETS = tuple(SEEDS)

# What cargo-fuzz sets, for a stable toolchain.
COVERAGE = (
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
)


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 when something was found, 0 when nothing was, or nothing can be fuzzed here."""
    options = parse(arguments)
    if not machine_has_cxx():
        print("fuzz: no C++ compiler here (c++), which libFuzzer needs: nothing was fuzzed")
        return 0
    programs = build()
    if programs is None:
        return 1
    return max(fuzz(target, programs / target, options.seconds, options.seed) for target in options.targets or TARGETS)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; the same seed and seconds on the same machine try much the same."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description="Feed the engine octets that nobody would send.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default: 1)")
    options = parser.parse_args(arguments)
    for target in options.targets:
        if target not in TARGETS:
            parser.error(f"{target} is no target: {', '.join(TARGETS)}")
    return options


def machine_has_cxx() -> bool:
    """Whether C++ can be compiled and linked: a compiler without the library's files is none."""
    compiler = os.environ.get("CXX", "c++")
    if not shutil.which(compiler):
        return False
    program = "#include <vector>\nint main() { return static_cast<int>(std::vector<int>().size()); }"
    return subprocess.run([compiler, "-xc++", "-", "-o", "/dev/null"], input=program, capture_output=True, text=True).returncode == 0


def build() -> Path | None:
    """The folder with the programs; None when they cannot be built, which cargo has explained."""
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = re.search(r"^host: (.+)$", version, re.MULTILINE)
    if host is None:
        raise ValueError(f"rustc does not say what it compiles for: {version!r}")
    # With a target that is named, build scripts and macros are spared the coverage.
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--bins", "--target", host[1]]
    environment = {**os.environ, "RUSTFLAGS": " ".join(COVERAGE), "CARGO_TARGET_DIR": str(WORK / "build")}
    print("fuzz: building (a few minutes the first time)", flush=True)
    built = subprocess.run([*command, "--manifest-path", ROOT / "fuzz/Cargo.toml"], env=environment)
    return WORK / "build" / host[1] / "release" if built.returncode == 0 else None


def fuzz(target: str, program: Path, seconds: int, seed: int) -> int:
    """Run one target for some time; 1 when it found something, which is shown with what it takes to see it again."""
    corpus, seeds, found = WORK / "corpus" / target, WORK / "seeds" / target, WORK / "found" / target
    for folder in (corpus, seeds, found):
        folder.mkdir(parents=True, exist_ok=True)
    for name, octets in SEEDS[target]():
        (seeds / name).write_bytes(octets)
    limits = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=5", "-rss_limit_mb=1024"]
    run = [str(program), *limits, f"-seed={seed}", f"-artifact_prefix={found}/", "-print_final_stats=1", str(corpus), str(seeds)]
    print(f"fuzz: {target}: {seconds} s, seed {seed}", flush=True)
    ended = subprocess.run(run, stderr=subprocess.PIPE, text=True, errors="replace")
    if ended.returncode == 0:
        print(f"fuzz: {target}: {summary(ended.stderr)}: nothing found", flush=True)
        return 0
    print("\n".join(ended.stderr.splitlines()[-60:]))
    again = re.search(r"Test unit written to (\S+)", ended.stderr)
    print(f"fuzz: {target}: it broke. To see it again: {program} {again[1] if again else 'INPUT'}", flush=True)
    return 1


def summary(log: str) -> str:
    """How much was tried, and how much of the program it reached, by libFuzzer's own words."""
    units = re.search(r"stat::number_of_executed_units:\s*(\d+)", log)
    reached = re.findall(r"cov: (\d+)", log)
    return f"{int(units[1]) if units else 0:,} inputs, {reached[-1] if reached else 0} edges"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
