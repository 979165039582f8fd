"""Fuzzes the C library, guided by coverage: token ids, positions, plans, protected masks, lengths.

target.c calls the library's own entry points; clang's libFuzzer looks for bytes that reach new
code, under the sanitizers of addresses and of undefined behaviour, of memory read before it is
written, and of threads. What was reached is counted over the sources by llvm-cov.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.fuzz.generated import source
from benchmarks.rows import append_row
from rasa_tokprune.encoder.backends.builds import NEEDS
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.cpu import cpu_features
from rasa_tokprune.machine.environment import environment

ROWS = "native.jsonl"
FOLDER = Path(__file__).resolve().parent
SOURCES = FOLDER.parents[2] / "rasa_tokprune" / "encoder" / "backends" / "native" / "src"
CPUS = {
    "portable": ("-march=x86-64",),
    "avx2": ("-march=x86-64-v3",),
    "avxvnni": ("-march=x86-64-v3", "-mavxvnni"),
    "avx512vnni": ("-march=x86-64-v4", "-mavx512vnni"),
    "amx": ("-march=x86-64-v4", "-mavx512vnni", "-mamx-tile", "-mamx-int8"),
}
SANITIZERS = {
    "address, undefined": "address,undefined,float-cast-overflow",
    "memory": "memory",
    "thread": "thread",
}
_FLAGS = ["-g", "-O2", "-ffp-contract=off", "-fno-math-errno", "-fno-sanitize-recover=all"]
_FLAGS += ["-Wno-psabi", f"-I{SOURCES}"]
# Bytes of an input: what the longest sentence takes.
_MOST_BYTES = 400
_SEEDS = 60
_EXECUTIONS = re.compile(r"stat::number_of_executed_units: (\d+)")
_COVERAGE = re.compile(r"(?:cov: (\d+) )?ft: (\d+)")
_FINDING = re.compile(r"FINDING: .*|SUMMARY: .*")


class Build(NamedTuple):
    """What the target is compiled for: a key of CPUS, a key of SANITIZERS."""

    cpu: str
    sanitizers: str


BUILDS = (
    Build("portable", "address, undefined"),
    Build("avx2", "address, undefined"),
    Build("avxvnni", "address, undefined"),
    Build("avx512vnni", "address, undefined"),
    Build("amx", "address, undefined"),
    Build("avx2", "memory"),
    Build("avx2", "thread"),
)


def missing() -> Optional[str]:
    """Returns one line on what this machine lacks to fuzz; None if it has all."""
    if sys.platform != "linux" or not cpu_features() & {"avx2"}:
        return "fuzzing the C library takes Linux on an x86-64 CPU with AVX2"
    lacking = [name for name in ("clang", "llvm-profdata", "llvm-cov") if not shutil.which(name)]
    if lacking:
        return f"fuzzing the C library takes {', '.join(lacking)}: apt-get install clang llvm"
    return None


def write_seeds(corpus: Path, seed: int) -> None:
    """Writes random inputs of full length into an empty corpus: short ones hold no plan."""
    corpus.mkdir(parents=True, exist_ok=True)
    rng = source(seed)
    for number in range(0 if any(corpus.iterdir()) else _SEEDS):
        content = bytearray(rng.randbytes(_MOST_BYTES))
        for place in range(len(content)):  # few tokens without a row
            content[place] %= 250
        (corpus / f"seed{number}").write_bytes(content)


def compile_target(build: Build, path: Path) -> None:
    """Compiles the target with libFuzzer and a build's sanitizers."""
    asked = [f"-fsanitize=fuzzer,{SANITIZERS[build.sanitizers]}"]
    if build.sanitizers == "thread":  # would see races in the fuzzer's own counters
        asked.append("-fno-sanitize-coverage=inline-8bit-counters")
    _compile([*CPUS[build.cpu], *asked], path)


def fuzz(program: Path, corpus: Path, seconds: int, seed: int) -> Dict[str, Any]:
    """Returns how many inputs were run, what they reached and what was found.

    Args:
        program: From `compile_target`.
        corpus: Folder of inputs; those that reach new code are added.
        seconds: How long.
        seed: Of libFuzzer's choices.
    """
    command = [str(program), f"-max_total_time={seconds}", f"-max_len={_MOST_BYTES}"]
    command += [f"-seed={seed}", "-print_final_stats=1", f"-artifact_prefix={program}-"]
    command.append(str(corpus))
    # A shell starts it: Linux counts the caller's memory as its peak otherwise, and it would stop.
    command = ["sh", "-c", '"$@"; exit $?', "-", *command]
    start, before = time.monotonic(), _cpu_seconds()
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    wall, cpu = time.monotonic() - start, _cpu_seconds() - before
    executions = _EXECUTIONS.search(result.stderr)
    reached = _COVERAGE.findall(result.stderr)
    if executions is None or not reached:
        raise ConfigError(f"libFuzzer said nothing of its run: {result.stderr[-400:]!r}")
    told = result.stderr.replace(f"{SOURCES}/", "").replace(f"{FOLDER}/", "")
    findings = _FINDING.findall(told) if result.returncode else []
    n = int(executions[1])
    return {
        "executions": n,
        "seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "executions_per_second": round(n / cpu, 1),
        "edges": int(reached[-1][0] or 0),  # 0: not counted
        "features": int(reached[-1][1]),
        "corpus": len(list(corpus.iterdir())),
        "findings": findings or ([f"exit code {result.returncode}"] if result.returncode else []),
    }


def lines_reached(corpus: Path, folder: Path) -> Dict[str, Any]:
    """Returns how many lines of each source file the inputs of a corpus reach, of how many."""
    program, raw, merged = folder / "covered", folder / "raw.profraw", folder / "merged.profdata"
    _compile(["-march=x86-64-v3", "-fsanitize=fuzzer", "-fprofile-instr-generate",
              "-fcoverage-mapping"], program)  # fmt: skip
    run = functools.partial(subprocess.run, check=True, capture_output=True, text=True)
    run([str(program), "-runs=0", str(corpus)], env={**os.environ, "LLVM_PROFILE_FILE": str(raw)})
    run(["llvm-profdata", "merge", "-sparse", str(raw), "-o", str(merged)])
    told = run(["llvm-cov", "export", "-summary-only", str(program), f"-instr-profile={merged}"])
    files = json.loads(told.stdout)["data"][0]["files"]
    own = {Path(each["filename"]).name: each["summary"]["lines"] for each in files
           if Path(each["filename"]).parent.resolve() == SOURCES}  # fmt: skip
    return {
        "lines": sum(each["count"] for each in own.values()),
        "lines_reached": sum(each["covered"] for each in own.values()),
        "by_file": {name: [each["covered"], each["count"]] for name, each in sorted(own.items())},
    }


def runnable() -> List[Build]:
    """Returns the builds that this CPU can run."""
    return [build for build in BUILDS if NEEDS["x86_64"][build.cpu] <= cpu_features()]


def measure(arguments: argparse.Namespace) -> None:
    """Fuzzes every build; writes a row for each, and one on what all of them reached.

    Raises:
        ConfigError: If something is missing, or the library did what it must not.
    """
    lacking = missing()
    if lacking:
        raise ConfigError(lacking)
    corpus = arguments.corpus
    write_seeds(corpus, arguments.seed)
    found: List[Tuple[Build, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, build in enumerate(runnable()):
            program = Path(folder) / f"target{number}"
            print(f"{build.cpu}, {build.sanitizers}: {arguments.seconds} s", flush=True)
            compile_target(build, program)
            row = fuzz(program, corpus, arguments.seconds, arguments.seed)
            row = {"kind": "fuzzed", **build._asdict(), "seed": arguments.seed, **row}
            append_row({**row, "environment": environment()}, arguments.out)
            found += [(build, finding) for finding in row["findings"]]
            shown = f"{row['executions']} inputs, {row['edges']} edges"
            print(f"  {shown}, {len(row['findings'])} findings", flush=True)
        reached = lines_reached(corpus, Path(folder))
        row = {"kind": "reached", "corpus": len(list(corpus.iterdir())), **reached}
        append_row({**row, "environment": environment()}, arguments.out)
    if found:
        build, finding = found[0]
        raise ConfigError(f"{build.cpu} ({build.sanitizers}): {finding}")


def _cpu_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _compile(flags: Sequence[str], path: Path) -> None:
    command = ["clang", *_FLAGS, *flags, str(FOLDER / "target.c"), "-o", str(path)]
    result = subprocess.run(
        [*command, "-lm", "-lpthread"], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ConfigError(f"target.c does not compile: {result.stderr[:400]!r}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, ROWS)
    made.add_argument("--seconds", type=int, default=600, help="for each build; default: 600")
    made.add_argument("--seed", type=int, default=1, help="of libFuzzer; default: 1")
    made.add_argument(
        "--corpus",
        type=Path,
        default=Path(tempfile.gettempdir()) / "tokprune-corpus",
        help="inputs that reach new code are kept here, and are the first of the next run",
    )
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
